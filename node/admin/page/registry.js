// Who belongs to the region: enrol a node, give a hall other districts, revoke a key.
import { post } from "./api.js";
import { h, render } from "./dom.js";
import { clock, days, moment, number } from "./format.js";
import { mark } from "./marks.js";
import { cells, copy, field, flash, form, heading, List, reasonBox } from "./parts.js";
import { may, now, state } from "./state.js";
import { t } from "./text.js";

const SHOWN_MAX = 300;
const LEVEL = { joined: "well", enrolled: "behind", expired: "away", revoked: "trouble" };
const HOUR = 3600000;

function parseDistricts(text) {
  const list = text.split(/[\s,，、]+/).filter(Boolean);
  if (!list.every(one => /^\d{1,5}$/.test(one))) throw new Error(t("bad_districts"));
  return list.map(Number);
}

const text = attributes => h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });

function enrol(box, list) {
  const id = text({ required: true, pattern: "[a-z0-9][a-z0-9\\-]*", maxlength: "32" }), places = text({ inputmode: "numeric" }), reason = reasonBox();
  const role = h("select", null, ["hall", "hub", "witness"].map(name => h("option", { value: name }, t(`role_${name}`))));
  const life = h("select", null, [24, 72, 168].map(hours => h("option", { value: String(hours * HOUR) }, days(hours / 24))));
  const element = form([field(t("node"), id, t("node_note")), field(t("role"), role), field(t("districts"), places, t("districts_note")), field(t("token_life"), life), field(t("reason"), reason)],
    [{ label: t("enrol"), send: async () => post("registry/enroll", { node_id: id.value.trim(), role: role.value, districts: parseDistricts(places.value), ttl_ms: Number(life.value), reason: reason.value.trim() }) }],
    answer => {
      const done = h("button", { type: "button", onclick: () => render(box) }, t("token_kept"));
      render(box, h("section", { class: "token", "aria-labelledby": "token-title" }, h("h2", { id: "token-title", tabindex: "-1" }, t("token_for", { node: id.value.trim() })),
        h("p", null, t("token_once", { time: moment(answer.expires_ms) })), copy(answer.token),
        h("p", null, t("token_use")), copy("hallsync join - --data /var/lib/hallsync < token"), done));
      box.querySelector("h2").focus();
      list.load();
    });
  return h("section", { class: "action", key: "enrol" }, h("h2", null, t("enrol_node")), element);
}

function revoke(box, list, node) {
  const again = text({ required: true }), reason = reasonBox();
  const element = form([h("p", null, t("revoke_note")), node.key ? h("p", null, t("key"), ": ", h("code", null, node.key.slice(0, 16))) : null,
    field(t("type_node", { node: node.node_id }), again), field(t("reason"), reason)],
  [{ label: t("revoke"), danger: true, send: async () => {
    if (again.value.trim() !== node.node_id) throw new Error(t("not_the_name"));
    return post("registry/revoke", { node_id: node.node_id, key: node.key, reason: reason.value.trim() });
  } }], () => { render(box, flash(t("revoked", { node: node.node_id }))); list.load(); });
  return h("section", { class: "action", key: `revoke ${node.node_id}` }, h("h2", null, t("revoke_node", { node: node.node_id })), element);
}

function scope(box, list, node) {
  const places = text({ required: true, value: (node.districts ?? []).join(" ") }), reason = reasonBox();
  const element = form([field(t("districts"), places, t("districts_note")), field(t("reason"), reason)],
    [{ label: t("change"), send: async () => post("registry/scope", { node_id: node.node_id, districts: parseDistricts(places.value), reason: reason.value.trim() }) }],
    () => { render(box, flash(t("scope_changed", { node: node.node_id }))); list.load(); });
  return h("section", { class: "action", key: `scope ${node.node_id}` }, h("h2", null, t("scope_of", { node: node.node_id })), element);
}

const session = node => node.node_id === state.session.node.node_id ? t("here") : node.live ? t("connected") : clock(node.seen_ms, now());
const nodeState = node => mark(LEVEL[node.state] ?? "trouble", t(`node_${node.state}`));

function table(nodes, box, list) {
  const show = make => () => { render(box, make); box.querySelector("input, select, textarea")?.focus(); box.scrollIntoView({ block: "nearest" }); };
  const acts = node => may("administrator") ? h("td", { class: "acts" },
    node.state === "joined" && node.role !== "hub" ? h("button", { type: "button", class: "plain", onclick: () => show(scope(box, list, node))() }, t("districts")) : null,
    node.state === "joined" ? h("button", { type: "button", class: "plain", onclick: () => show(revoke(box, list, node))() }, t("revoke")) : null) : null;
  return h("div", { class: "scroll" }, h("table", { class: "plain wide" }, h("thead", null, h("tr", null,
    cells("th", [[t("node")], [t("role")], [t("state")], [t("districts")], [t("since")], [t("last_seen")], [t("key")], [t("reason")]]), may("administrator") ? h("th", { scope: "col" }, h("span", { class: "hidden" }, t("change"))) : null)),
  h("tbody", null, nodes.map(node => h("tr", { key: `${node.node_id} ${node.key ?? ""}` }, h("th", { scope: "row" }, h("a", { href: `#/hall/${encodeURIComponent(node.node_id)}` }, node.node_id)),
    cells("td", [[t(`role_${node.role}`)], [nodeState(node)]]), h("td", { class: "prose" }, (node.districts ?? []).join(", ")), cells("td", [[clock(node.since_ms, now())],
      [session(node)], [h("code", null, (node.key ?? "").slice(0, 12))]]), h("td", { class: "prose" }, node.reason ?? ""), acts(node))))));
}

export function registry(main) {
  const box = h("div", { class: "actions" }), filter = text({ type: "search", id: "search", placeholder: t("search_nodes"), "aria-label": t("search_nodes") });
  const list = new List({ path: "registry", query: () => ({}), items: answer => answer.nodes ?? [], draw: nodes => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = nodes.filter(node => words.every(word => `${node.node_id} ${node.role} ${t(`role_${node.role}`)} ${node.state} ${t(`node_${node.state}`)} ${node.districts ?? ""}`.toLowerCase().includes(word)));
    const shown = fits.sort((a, b) => a.node_id < b.node_id ? -1 : a.node_id > b.node_id ? 1 : (b.since_ms ?? 0) - (a.since_ms ?? 0)).slice(0, SHOWN_MAX);
    return [h("p", { class: "found", key: "found" }, t("found", { n: number(fits.length), all: number(nodes.length) }), shown.length < fits.length ? ` · ${t("first_shown", { n: number(SHOWN_MAX) })}` : ""),
      table(shown, box, list)];
  } });
  filter.oninput = () => list.redraw();
  const begin = may("administrator") ? h("button", { type: "button", onclick: () => { render(box, enrol(box, list)); box.querySelector("input").focus(); } }, t("enrol_node")) : "";
  main.append(heading(t("registry"), t("registry_note")), h("div", { class: "tools" }, filter, begin), box, list.element);
  list.load();
  return { title: t("registry"), close: () => list.close() };
}
