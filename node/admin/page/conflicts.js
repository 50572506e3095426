// What people must decide: the list, and one conflict with its versions side by side.
import { get, post } from "./api.js";
import { h, render } from "./dom.js";
import { clock, moment, yuan } from "./format.js";
import { cells, changedMeanwhile, failure, field, flash, form, heading, List, reasonBox } from "./parts.js";
import { may, now, state } from "./state.js";
import { t, told, word } from "./text.js";

let said = ""; // of the change just made, shown once above the list

const typeName = type => word(state.model.conflicts[type]) ?? type;
const kindName = kind => word(state.model.kinds[kind]) ?? (kind === "kind-0" ? "" : kind); // a stream is of none
const amounts = state_ => `${state_.conflicts}/${state_.overpayments}/${state_.parked}/${state_.stopped_streams}/${state_.forks}`;

function row(conflict, to) {
  return h("tr", { key: conflict.id },
    h("th", { scope: "row" }, h("a", { href: to(conflict) }, conflict.record_id || conflict.origin || conflict.id)),
    h("td", null, typeName(conflict.type)), h("td", null, kindName(conflict.kind)), h("td", { class: "number" }, conflict.amount_fen === undefined ? "" : yuan(conflict.amount_fen)),
    h("td", null, conflict.node ?? ""), h("td", null, clock(conflict.time_ms, now())), h("td", { class: "prose" }, told(conflict, "text") ?? ""));
}

export function conflictTable(list, to, none) {
  if (!list.length) return h("p", { class: "nil big" }, none);
  return h("div", { class: "scroll", key: "table" }, h("table", { class: "plain wide" }, h("thead", null, h("tr", null,
    cells("th", [[t("record")], [t("sort")], [t("kind")], [t("amount"), true], [t("written_at")], [t("when")], [t("what")]]))),
  h("tbody", null, list.map(conflict => row(conflict, to)))));
}

export function facts(conflict) {
  const list = [
    [t("record"), conflict.record_id], [t("kind"), kindName(conflict.kind)], [t("district"), conflict.partition], [t("account"), conflict.account], [t("customer"), conflict.customer],
    [t("amount"), conflict.amount_fen === undefined ? null : yuan(conflict.amount_fen)], [t("written_at"), conflict.node], [t("window"), conflict.window],
    [t("when"), conflict.time_ms ? moment(conflict.time_ms) : null], [t("rule"), told(conflict, "reason")], [t("counts"), conflict.counts === undefined ? null : t(conflict.counts ? "yes" : "no")],
    [t("lane"), conflict.lane], [t("origin"), conflict.origin], [t("stopped_behind"), conflict.behind], [t("operations_follow"), conflict.operations],
  ].filter(([, value]) => value !== undefined && value !== null && value !== "");
  return [conflict.text ? h("p", { class: "cause" }, told(conflict, "text")) : null,
    h("dl", { class: "facts" }, list.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value)))),
    conflict.advice ? h("p", { class: "next" }, h("b", null, t("what_to_do")), " ", told(conflict, "advice")) : null, decisions(conflict.decisions)];
}

function decisions(list) {
  if (!list?.length) return null;
  return h("section", null, h("h2", null, t("decisions")), h("ol", { class: "events" }, list.map(one => h("li", null, h("time", null, moment(one.time_ms)),
    h("span", null, `${t(`verdict_${one.verdict}`)}: ${one.reason} (${one.name}, ${one.node})${one.holds ? ` · ${t("holds")}` : ""}`)))));
}

// ---- versions side by side ----

function version(name, value, i, shown, choosing) {
  const text = h("span", { class: "value" }, value.text === "" ? h("i", null, t("empty")) : value.text);
  const by = h("small", null, `${value.node}, ${moment(value.time_ms)}`, shown ? h("b", null, ` · ${t("shown_now")}`) : null);
  if (!choosing) return h("td", { class: shown ? "shown" : "" }, text, by);
  return h("td", { class: shown ? "shown" : "" }, h("label", { class: "choice" },
    h("input", { type: "radio", name, value: String(i), checked: shown, required: true }), h("span", null, text, by)));
}

function versions(conflict, choosing) {
  const most = Math.max(...conflict.fields.map(one => one.values.length));
  const pick = at => event => event.target.closest("table").querySelectorAll(`input[value="${at}"]`).forEach(input => { input.checked = true; });
  const head = Array.from({ length: most }, (_, i) => h("th", { scope: "col" }, t("version", { n: i + 1 }),
    choosing && conflict.fields.length > 1 ? h("button", { type: "button", class: "plain small", onclick: pick(i) }, t("take_all")) : null));
  return h("div", { class: "scroll" }, h("table", { class: "plain versions" }, h("thead", null, h("tr", null, h("th", { scope: "col" }, t("field")), head)),
    h("tbody", null, conflict.fields.map((one, at) => h("tr", null, h("th", { scope: "row" }, told(one, "name")),
      one.values.map((value, i) => version(`f${at}`, value, i, i === 0, choosing)),
      one.values.length < most ? h("td", { colspan: String(most - one.values.length) }) : null)))));
}

function resolution(conflict, failed) {
  const reason = reasonBox();
  const seen = conflict.fields.map(one => ({ field: one.number, dots: one.values.map(value => value.dot) }));
  const element = form([versions(conflict, true), field(t("reason"), reason, t("reason_note"))], [{ label: t("resolve"), send: () => {
    const choices = conflict.fields.map((one, at) => {
      const chosen = element.querySelector(`input[name=f${at}]:checked`);
      return { field: one.name, value: one.values[+chosen.value].text };
    });
    return post("conflict", { id: conflict.id, choices, seen, reason: reason.value.trim() });
  } }], () => {
    said = t("resolved", { record: conflict.record_id });
    location.hash = "#/conflicts";
  }, failed);
  return element;
}

// One of them, asked for anew and drawn by detail(conflict, failed) into main.
export function oneConflict(main, { id, back, backText, detail }) {
  const box = h("div", { class: "one" });
  let closed = false;
  const show = (conflict, note) => {
    if (closed) return;
    box.replaceChildren();
    render(box, note, conflict ? [heading(typeName(conflict.type), conflict.record_id), facts(conflict), detail(conflict, changedMeanwhile(show))] : null);
  };
  main.append(h("a", { href: back, class: "back" }, "← ", backText), box);
  post("conflict/look", { id }).then(answer => show(answer.conflict)).catch(error => show(null, failure(error)));
  return { title: backText, back, close: () => { closed = true; } };
}

function detail(conflict, failed) {
  if (!conflict.fields?.length) return null;
  if (conflict.type !== "field") return versions(conflict, false); // which content of a fact counts is not chosen
  return may("operator") ? resolution(conflict, failed) : [versions(conflict, false), h("p", { class: "nil" }, t("needs_operator"))];
}

export function conflicts(main, type = "", id = "") {
  if (id) return oneConflict(main, { id, back: `#/conflicts/${type}`, backText: t("conflicts"), detail });
  const to = conflict => ["parked", "decided"].includes(conflict.type) ? `#/parked/${encodeURIComponent(conflict.id)}` : `#/conflicts/${conflict.type}/${encodeURIComponent(conflict.id)}`;
  const list = new List({ path: "conflicts", query: () => ({ type }), items: answer => answer.conflicts ?? [], watch: () => amounts(state.node),
    draw: rows => conflictTable(rows, to, t("no_conflicts")) });
  const select = h("select", { onchange: () => { location.hash = select.value ? `#/conflicts/${select.value}` : "#/conflicts"; } },
    h("option", { value: "" }, t("all")), Object.keys(state.model.conflicts).map(name => h("option", { value: name, selected: name === type }, typeName(name))));
  main.append(heading(t("conflicts"), t("conflicts_note")), said ? flash(said) : "", h("div", { class: "tools" }, field(t("sort"), select)), list.element);
  said = "";
  list.load();
  return { title: t("conflicts"), close: () => list.close() };
}
