// Records that break a rule and wait for somebody who lets them count or refuses them.
import { post } from "./api.js";
import { conflictTable, oneConflict } from "./conflicts.js";
import { h } from "./dom.js";
import { field, flash, form, heading, List, nodeCount, reasonBox } from "./parts.js";
import { isHall, may } from "./state.js";
import { t } from "./text.js";

let said = "";

function decision(conflict, failed) {
  if (isHall()) return h("p", { class: "nil" }, t("at_a_hub"));
  if (!may("operator")) return h("p", { class: "nil" }, t("needs_operator"));
  const reason = reasonBox(), seen = conflict.decisions?.length ?? 0;
  const send = verdict => () => post("parked", { id: conflict.id, decision: verdict, seen, reason: reason.value.trim() });
  const buttons = [{ label: t("reject"), danger: true, send: send("reject") }];
  if (conflict.may_release !== false) buttons.unshift({ label: t("release"), send: send("release") });
  return form([field(t("reason"), reason, t("reason_note"))], buttons, () => {
    said = t("decided", { record: conflict.record_id });
    location.hash = "#/parked";
  }, failed);
}

export function parked(main, id = "") {
  if (id) return oneConflict(main, { id, back: "#/parked", backText: t("parked"), detail: decision });
  const list = new List({ path: "conflicts", query: () => ({ type: "parked" }), items: answer => answer.conflicts ?? [], watch: nodeCount("parked"),
    draw: rows => conflictTable(rows, conflict => `#/parked/${encodeURIComponent(conflict.id)}`, t("no_parked")) });
  main.append(heading(t("parked_records"), t("parked_note")), said ? flash(said) : "", list.element);
  said = "";
  list.load();
  return { title: t("parked"), close: () => list.close() };
}
