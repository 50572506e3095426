// Tickets that are overdue, by hall.
import { h } from "./dom.js";
import { age, clock, number } from "./format.js";
import { cells, heading, List, nodeCount } from "./parts.js";
import { now } from "./state.js";
import { known, t } from "./text.js";

function halls(list) {
  return h("div", { class: "scroll", key: "halls" }, h("table", { class: "plain" }, h("thead", null, h("tr", null, cells("th", [[t("hall")], [t("district")], [t("overdue"), true], [t("oldest"), true]]))),
    h("tbody", null, list.map(one => h("tr", { key: `${one.hall ?? ""}${one.district}` },
      h("th", { scope: "row" }, one.hall ? h("a", { href: `#/tickets/${encodeURIComponent(one.hall)}` }, one.hall) : t("nobody")),
      cells("td", [[one.district ?? ""], [number(one.count), true], [t("late_by", { span: age(one.oldest_due_ms, now()) }), true]]))))));
}

const stateName = name => known(`ticket_${name}`) ? t(`ticket_${name}`) : name;

function tickets(list) {
  return h("div", { class: "scroll", key: "tickets" }, h("table", { class: "plain wide" }, h("thead", null, h("tr", null,
    cells("th", [[t("ticket")], [t("hall")], [t("sort")], [t("state")], [t("with_whom")], [t("opened")], [t("was_due")], [t("late_since"), true]]))),
  h("tbody", null, list.map(one => h("tr", { key: one.id }, h("th", { scope: "row" }, one.id), cells("td", [[one.hall ?? one.district ?? ""], [one.type ?? ""], [stateName(one.state ?? "")],
    [[one.department, one.assignee].filter(Boolean).join(", ")], [clock(one.opened_ms, now())], [clock(one.due_ms, now())], [age(one.due_ms, now()), true]]))))));
}

export function overdue(main, only = "") {
  const list = new List({ path: "overdue", query: () => ({}), items: answer => answer.tickets ?? [], watch: nodeCount("overdue_tickets"), draw: (rows, answer) => {
    const shown = (only ? rows.filter(one => one.hall === only) : [...rows]).sort((a, b) => a.due_ms - b.due_ms);
    if (!(answer.halls ?? []).length && !rows.length) return h("p", { class: "nil big" }, t("no_overdue"));
    return [only ? h("a", { href: "#/tickets", class: "back" }, "← ", t("all_halls")) : halls([...answer.halls ?? []].sort((a, b) => b.count - a.count)), tickets(shown)];
  } });
  main.append(heading(only || t("overdue_tickets"), t("overdue_note")), list.element);
  list.load();
  return { title: t("overdue_tickets"), back: only ? "#/tickets" : "#/", close: () => list.close() };
}
