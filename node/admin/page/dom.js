// Elements are made here and nowhere else: data becomes text or an attribute, never markup.

const SVG = "http://www.w3.org/2000/svg";
const HANDLERS = Symbol("handlers");

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) {
    element[name] = value;
    (element[HANDLERS] ??= new Set()).add(name);
  } else if (name === "key") {
    element.dataset.key = value;
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) set(element, name, value);
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

// ---- making one tree like another, so that focus, selection and what is being typed stay where they are ----

const OWN = new Set(["open"]); // the user's, not ours

function morphAttributes(old, fresh) {
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && !OWN.has(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value && !(OWN.has(name) && old.hasAttribute("data-shown"))) old.setAttribute(name, value);
  for (const name of old[HANDLERS] ?? []) if (!fresh[HANDLERS]?.has(name)) old[name] = null;
  for (const name of fresh[HANDLERS] ?? []) old[name] = fresh[name];
  old[HANDLERS] = fresh[HANDLERS];
}

function alike(old, fresh) {
  return old && old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && old.dataset?.key === fresh.dataset?.key;
}

function morphNode(old, fresh) {
  if (fresh.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  morphAttributes(old, fresh);
  if (!fresh.hasAttribute("data-keep")) morphChildren(old, [...fresh.childNodes]);
}

function morphChildren(parent, fresh) {
  const keyed = new Map();
  for (const child of parent.children) if (child.dataset?.key !== undefined) keyed.set(child.dataset.key, child);
  let at = parent.firstChild;
  for (const node of fresh) {
    const same = node.dataset?.key === undefined ? at : keyed.get(node.dataset.key);
    if (alike(same, node)) {
      if (same !== at) parent.insertBefore(same, at);
      else at = at.nextSibling;
      morphNode(same, node);
    } else {
      parent.insertBefore(node, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

let anySelected = false; // to ask the selection itself makes the browser lay the page out
document.addEventListener("selectionchange", () => { anySelected = !getSelection().isCollapsed; });

// An element that changes its place loses the focus, and what is selected in it: to be given back afterwards.
function held(parent) {
  const focus = parent.contains(document.activeElement) ? document.activeElement : null;
  const selection = getSelection();
  const { anchorNode, anchorOffset, focusNode, focusOffset } = anySelected ? selection : {};
  const selected = anySelected && parent.contains(anchorNode) && parent.contains(focusNode);
  const size = node => node.data?.length ?? node.childNodes.length;
  return () => {
    if (focus && focus !== document.activeElement && parent.contains(focus)) focus.focus({ preventScroll: true });
    if (selected && parent.contains(anchorNode) && parent.contains(focusNode) && (selection.anchorNode !== anchorNode || selection.focusNode !== focusNode)) {
      selection.setBaseAndExtent(anchorNode, Math.min(anchorOffset, size(anchorNode)), focusNode, Math.min(focusOffset, size(focusNode)));
    }
  };
}

// The children of parent become these.
export function render(parent, ...children) {
  const giveBack = held(parent);
  morphChildren(parent, children.flat(Infinity).filter(Boolean).map(child => typeof child === "string" ? new Text(child) : child));
  giveBack();
}
