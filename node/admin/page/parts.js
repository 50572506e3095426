// Parts that several screens share: what failed, something to copy, a form with a reason, a list that stays up to date.
import { get } from "./api.js";
import { h, render } from "./dom.js";
import { clock } from "./format.js";
import { listen, lookSoon, now, state } from "./state.js";
import { t } from "./text.js";

export const failure = error => h("p", { class: "failure", role: "alert", key: "failure" }, h("span", null, error.message));

export function copy(text) {
  const button = h("button", { type: "button", class: "plain" }, t("copy"));
  const code = h("code", { tabindex: "0" }, text);
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = t("copied");
    } catch {
      getSelection().selectAllChildren(code); // no right to the clipboard without TLS: the user's keys do it
      button.textContent = t("selected");
    }
    setTimeout(() => { button.textContent = t("copy"); }, 2000);
  };
  return h("div", { class: "copy", key: `copy ${text}`, "data-keep": "" }, code, button);
}

export function heading(title, note) {
  return h("header", { class: "title" }, h("h1", null, title), note ? h("p", { class: "sub" }, note) : null);
}

let fields = 0;

export function field(label, control, note) {
  control.id = `field-${++fields}`;
  if (note) control.setAttribute("aria-describedby", `${control.id}-note`);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, note ? h("small", { id: `${control.id}-note` }, note) : null);
}

// Every change says why.
export const reasonBox = () => h("textarea", { rows: "2", maxlength: "1000", required: true, autocomplete: "off" });

// A form that is sent once at a time; what fails is said below it.  Each button: {label, danger, send}.
// failed, if given, answers true for what it has seen to itself.
export function form(parts, buttons, done, failed) {
  const said = h("div", { class: "said" });
  const element = h("form", { class: "form", "data-keep": "" }, parts, h("div", { class: "buttons" }, buttons.map((button, i) =>
    h("button", { type: "submit", value: String(i), class: button.danger ? "danger" : "" }, button.label))), said);
  element.onsubmit = async event => {
    event.preventDefault();
    const all = [...element.querySelectorAll("button[type=submit]")];
    all.forEach(button => { button.disabled = true; });
    render(said);
    try {
      await done(await buttons[+(event.submitter?.value ?? 0)].send());
      lookSoon();
    } catch (error) {
      if (!failed?.(error)) render(said, failure(error));
    }
    all.forEach(button => { button.disabled = false; });
  };
  return element;
}

export const flash = text => h("p", { class: "done", role: "status" }, text);

const EVERY_MS = 60000; // the node goes through many records for some of them

// Pages of a list that are asked for again when the count they hang on changes, and now and then anyhow.
export class List {
  constructor({ path, query, items, draw, watch }) {
    Object.assign(this, { path, query, items, draw, watch });
    this.pages = 1;
    this.element = h("div", { class: "list" });
    this.stop = listen(what => { if (what === "status" && watch && watch() !== this.count) this.load(); });
    this.timer = setInterval(() => { if (!document.hidden) this.load(); }, EVERY_MS);
  }

  close() {
    this.closed = true;
    this.stop();
    clearInterval(this.timer);
  }

  async load() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.count = this.watch?.();
    try {
      const rows = [];
      let answer, next;
      for (let page = 0; page < this.pages && (page === 0 || next); page++) {
        answer = await get(this.path, { ...this.query(), next });
        rows.push(...this.items(answer));
        next = answer.next;
      }
      if (!this.closed) this.shown(rows, answer, next);
    } catch (error) {
      if (!this.closed) render(this.element, failure(error));
    }
    this.busy = false;
    if (this.again && !this.closed) {
      this.again = false;
      this.load();
    }
  }

  // The same once more: what is to be drawn of it has changed.
  redraw() {
    if (this.answer) this.shown(...this.answer);
  }

  shown(rows, answer, next) {
    this.answer = [rows, answer, next];
    const more = next ? h("button", { type: "button", class: "plain", onclick: () => { this.pages++; this.load(); } }, t("more")) : null;
    const doubt = answer.complete === false ? h("p", { class: "doubt" }, t("not_complete")) : null;
    render(this.element, this.draw(rows, answer), doubt, more,
      h("p", { class: "asof", key: "asof" }, t("as_of", { time: clock(answer.now_ms ?? now(), now(), true) })));
  }
}

// Somebody else was quicker: what there is to decide now is shown in place of what was; gone (null): nothing is.
export function changedMeanwhile(show) {
  return error => {
    if (error.code !== "changed-meanwhile") return false;
    show(error.body.conflict, h("div", { key: "changed" }, failure(error)));
    return true;
  };
}

export const nodeCount = name => () => state.node[name];
export const cells = (tag, list) => list.map(([text, number]) => h(tag, { class: number ? "number" : "", scope: tag === "th" ? "col" : null }, text));
