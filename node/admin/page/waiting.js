// What waits for people, each with the screen where it is seen to.
import { h } from "./dom.js";
import { number } from "./format.js";
import { t } from "./text.js";

function item(key, count, href) {
  return count ? h("li", { key }, h("a", { href }, t(key), " ", h("b", null, number(count)))) : null;
}

export function waiting(node) {
  const items = [
    item("w_conflicts", node.conflicts, "#/conflicts/field"),
    item("w_overpaid", node.overpayments, "#/conflicts/overpaid"),
    item("w_parked", node.parked, "#/parked"),
    item("w_stopped", node.stopped_streams, "#/conflicts/stopped"),
    item("w_forks", node.forks, "#/conflicts/fork"),
    item("w_books", node.books?.differ, "#/books"),
    item("w_overdue", node.overdue_tickets, "#/tickets"),
    item("w_refused", node.refused?.length, `#/hall/${encodeURIComponent(node.node_id)}`),
    item("w_problems", node.problems?.length, `#/hall/${encodeURIComponent(node.node_id)}`),
  ].filter(Boolean);
  return h("section", { class: "waiting", "aria-label": t("waits_for_people") }, h("h2", null, t("waits_for_people")),
    items.length ? h("ul", null, items) : h("p", { class: "nil" }, t("nothing_waits")));
}
