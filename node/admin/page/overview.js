// The region at a glance: counts, what waits for people, and a row a hall, worst first.
import { get } from "./api.js";
import { h, render } from "./dom.js";
import { absent, age, bytes, clock, days, NOTHING, number, seconds } from "./format.js";
import { lanes, why } from "./hall.js";
import { causeText, LEVELS, mark, proof, shape, sparkline } from "./marks.js";
import { failure } from "./parts.js";
import { isHall, listen, now, state } from "./state.js";
import { Table } from "./table.js";
import { language, t } from "./text.js";
import { waiting } from "./waiting.js";

const chosen = { search: "", level: "", sort: "worst", down: true, row: null };

const LATEST = 3;

const late = row => absent(row.lag_out_seconds) && absent(row.lag_in_seconds) ? null : Math.max(row.lag_out_seconds ?? 0, row.lag_in_seconds ?? 0);
const ops = row => (row.lag_out_ops ?? 0) + (row.lag_in_ops ?? 0);
const people = row => (row.conflicts ?? 0) + (row.parked ?? 0);
const cause = row => causeText(row.cause, state.model);
const zero = (value, text) => absent(value) ? NOTHING : value === 0 ? h("span", { class: "nil" }, "0") : text;

function districts(row) {
  const list = row.districts ?? [];
  return list.length > 2 ? `${list[0]} +${list.length - 1}` : list.join(", ");
}

// wide: from which width of the page on there is room (style.css); whole: what may not fit into the cell.
const COLUMNS = [
  { id: "state", wide: 0, sort: row => -LEVELS.indexOf(row.level), cell: row => mark(row.level) },
  { id: "node_id", wide: 0, header: true, first: true, sort: row => row.node_id, whole: row => row.node_id, cell: row => [
    h("a", { href: `#/hall/${encodeURIComponent(row.node_id)}`, tabindex: "-1" }, row.node_id),
    row.role !== "hall" ? h("span", { class: "role" }, t(`role_${row.role}`)) : null,
    h("span", { class: "under" }, cause(row) || proof(row, now()))] },
  { id: "since", wide: 4, number: true, sort: row => -(row.since_ms ?? 0), cell: row => age(row.since_ms, now()) },
  { id: "cause", wide: 1, sort: cause, first: true, whole: cause, cell: row => cause(row) || h("span", { class: "nil" }, t("up_to_date")) },
  { id: "to_send", wide: 3, number: true, sort: row => row.lag_out_ops ?? 0, cell: row => zero(row.lag_out_ops, number(row.lag_out_ops)) },
  { id: "to_come", wide: 3, number: true, sort: row => row.lag_in_ops ?? 0, cell: row => zero(row.lag_in_ops, number(row.lag_in_ops)) },
  { id: "waits", wide: 0, number: true, sort: row => late(row) ?? 0, cell: row => zero(late(row), seconds(late(row))) },
  { id: "spark", wide: 4, sort: ops, cell: row => sparkline(row.spark, t("lag_of_hour")) },
  { id: "caught_up", wide: 5, number: true, sort: row => row.caught_up_ms ?? 0,
    cell: row => ops(row) ? clock(row.caught_up_ms, now()) : h("span", { class: "nil" }, NOTHING) },
  { id: "equal", wide: 2, sort: row => -(row.equal_as_of_ms ?? 0), cell: row => proof(row, now()) },
  { id: "people", wide: 5, number: true, sort: people, cell: row => zero(people(row), number(people(row))) },
  { id: "disk", wide: 6, number: true, sort: row => -(row.disk_days ?? 1e9), cell: row => days(row.disk_days) },
  { id: "backup", wide: 6, number: true, sort: row => -(row.backup_ms ?? 0), cell: row => age(row.backup_ms, now()) },
  { id: "clock", wide: 7, number: true, sort: row => Math.abs(row.clock_offset_ms ?? 0),
    cell: row => absent(row.clock_offset_ms) ? NOTHING : t("seconds", { n: number(row.clock_offset_ms / 1000, 1) }) },
  { id: "version", wide: 7, sort: row => row.version ?? "", cell: row => row.version ?? NOTHING },
  { id: "districts", wide: 7, first: true, sort: row => (row.districts ?? []).join(), whole: row => (row.districts ?? []).join(", "), cell: districts },
];

// Rows change places only when something got ten times worse or better, not with each operation.
const decade = value => value > 0 ? Math.floor(Math.log10(value)) + 1 : 0;
const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0;

function worst(a, b) {
  return LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || decade(late(b)) - decade(late(a)) || decade(ops(b)) - decade(ops(a)) ||
    compare(a.node_id, b.node_id);
}

function order() {
  if (chosen.sort === "worst") return worst;
  const key = COLUMNS.find(column => column.id === chosen.sort).sort;
  const sign = chosen.down ? -1 : 1;
  return (a, b) => sign * compare(key(a), key(b)) || compare(a.node_id, b.node_id);
}

function fits(row, words) {
  if (chosen.level && row.level !== chosen.level) return false;
  if (!words.length) return true;
  const text = `${row.text} ${cause(row)} ${t(`level_${row.level}`)}`.toLowerCase();
  return words.every(word => text.includes(word));
}

function visible() {
  const words = chosen.search.toLowerCase().split(/\s+/).filter(Boolean);
  return [...state.rows.values()].filter(row => fits(row, words)).sort(order());
}

// ---- above the table ----

function count(level, n) {
  const pick = () => { chosen.level = chosen.level === level ? "" : level; refresh(true); };
  return h("button", { type: "button", class: `count ${level} ${n ? "" : "none"}`, "aria-pressed": String(chosen.level === level), onclick: pick, key: level },
    h("span", { class: "big" }, number(n)), h("span", { class: "label" }, shape(level), t(`level_${level}`)));
}

function counts() {
  const numbers = Object.fromEntries(LEVELS.map(level => [level, 0]));
  for (const row of state.rows.values()) numbers[row.level]++;
  return h("div", { class: "counts", role: "group", "aria-label": t("states") }, ["well", "behind", "away", "trouble"].map(level => count(level, numbers[level])));
}

function figures() {
  const node = state.node;
  const list = [
    [t("halls_known"), number(state.rows.size)],
    node.disk_free_bytes && [t("disk_free"), bytes(node.disk_free_bytes)],
    !absent(node.disk_days) && [t("disk_lasts"), days(node.disk_days)],
    node.backup?.last_ms && [t("backup"), age(node.backup.last_ms, now())],
  ].filter(Boolean);
  return h("dl", { class: "figures" }, list.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

// What happened since the page was opened.  Its line is there from the beginning: what comes later does not move the rows under a hand.
function latest() {
  const item = alarm => {
    const text = alarm[`text_${language()}`] ?? alarm.code;
    return h("li", { title: text }, h("time", null, clock(alarm.time_ms, now())), h("a", { href: `#/hall/${encodeURIComponent(alarm.node_id ?? state.session.node.node_id)}` }, text));
  };
  return h("section", { class: "latest", "aria-label": t("latest"), key: "latest" }, h("h2", null, t("latest")),
    state.alarms.length ? h("ol", null, state.alarms.slice(0, LATEST).map(item)) : h("p", { class: "nil" }, t("nothing_new")));
}

let refresh = () => {};

// A hall's own console begins with the hall itself.
class Home {
  constructor() {
    this.element = h("div", { class: "hall home" });
    this.timer = setInterval(() => { if (!document.hidden) this.load(); }, 5000);
    this.load();
  }

  close() {
    this.closed = true;
    clearInterval(this.timer);
  }

  async load() {
    try {
      const info = await get(`node/${encodeURIComponent(state.session.node.node_id)}`);
      if (!this.closed) render(this.element, why(info), lanes(state.node.waiting, t("unsigned")));
    } catch (error) {
      if (!this.closed && error.status) render(this.element, failure(error)); // without an answer the banner says so
    }
  }
}

export function overview(main) {
  const search = h("input", { type: "search", id: "search", placeholder: t("search_halls"), "aria-label": t("search_halls"), value: chosen.search,
    "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: "false" });
  const found = h("span", { class: "found" });
  const top = h("div", { class: "top" });
  const table = new Table({
    label: t("halls"), columns: COLUMNS.map(column => ({ ...column, title: t(column.id === "node_id" && isHall() ? "upstream" : `column_${column.id}`), help: t(`help_${column.id}`) })),
    sorted: () => chosen, empty: () => state.rows.size ? t("nothing_fits") : t("no_halls"),
    sort: column => {
      if (chosen.sort === column.id && !chosen.down) [chosen.sort, chosen.down] = ["worst", true];
      else if (chosen.sort === column.id) chosen.down = false;
      else [chosen.sort, chosen.down] = [column.id, !column.first];
      refresh();
    },
    chosen: chosen.row, choose: id => { chosen.row = id; },
    open: row => { chosen.row = row.node_id; location.hash = `#/hall/${encodeURIComponent(row.node_id)}`; },
  });
  search.oninput = () => { chosen.search = search.value; table.toTop(); refresh(true); };
  search.onkeydown = event => {
    if (event.key === "Escape") {
      search.value = chosen.search = "";
      search.blur();
      refresh();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      table.focusFirst();
    } else {
      return;
    }
    event.stopPropagation();
  };
  const worstFirst = h("button", { type: "button", class: "plain", onclick: () => { chosen.sort = "worst"; refresh(); } }, t("worst_first"));
  refresh = asked => {
    worstFirst.hidden = chosen.sort === "worst";
    render(top, h("h1", { class: "hidden" }, t("overview")), h("div", { class: "summary" }, counts(), figures()), waiting(state.node), latest());
    const rows = visible();
    table.show(rows);
    found.setAttribute("aria-live", asked ? "polite" : "off"); // how many are found is said to who searches, not each second
    render(found, rows.length === state.rows.size ? "" : t("found", { n: number(rows.length), all: number(state.rows.size) }));
  };
  const home = isHall() ? new Home() : null;
  main.append(top, home?.element ?? "", h("div", { class: "tools" }, search, worstFirst, found), table.element);
  refresh();
  const stop = listen(what => { if (what === "status" || what.alarm) refresh(); });
  const ages = setInterval(() => table.draw(), 10000);
  return {
    title: isHall() ? t("hubs") : t("overview"),
    key: event => table.key(event),
    begin: () => table.chosenRow(),
    close: () => { stop(); clearInterval(ages); table.close(); home?.close(); },
  };
}
