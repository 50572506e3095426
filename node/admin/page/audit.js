// Who changed what, and why: newest first, as it stands signed in the node's log.
import { h } from "./dom.js";
import { moment } from "./format.js";
import { cells, heading, List } from "./parts.js";
import { known, language, t } from "./text.js";

const named = (prefix, name) => known(`${prefix}_${name}`) ? t(`${prefix}_${name}`) : name ?? "";

function row(one, i) {
  const prose = [one[`what_${language()}`] ?? one.what, [one.of_kind, one.target, one.detail].filter(Boolean).join(" "), one.reason];
  return h("tr", { key: one.id ?? `${one.time_ms} ${i}` }, cells("td", [[moment(one.time_ms)], [one.who ?? ""], [named("role", one.role)]]),
    prose.map(text => h("td", { class: "prose" }, text)), cells("td", [[named("way", one.way)], [one.node ?? ""]]));
}

export function audit(main) {
  const list = new List({ path: "audit", query: () => ({}), items: answer => answer.entries ?? [], draw: rows => rows.length
    ? h("div", { class: "scroll" }, h("table", { class: "plain wide" }, h("thead", null, h("tr", null,
      cells("th", [[t("when")], [t("who")], [t("role")], [t("what")], [t("on_what")], [t("reason")], [t("way")], [t("node")]]))), h("tbody", null, rows.map(row))))
    : h("p", { class: "nil big" }, t("no_audit")) });
  main.append(heading(t("audit"), t("audit_note")), list.element);
  list.load();
  return { title: t("audit"), close: () => list.close() };
}
