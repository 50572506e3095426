// A table of any length: only the rows in sight are elements, each known by its id, so that thousands cost as little as fifty.
import { h, render } from "./dom.js";

const SPARE = 8; // rows above and below

export class Table {
  constructor(options) {
    this.options = options;
    this.rows = [];
    this.chosen = options.chosen ?? null; // id of the row that the keyboard is at
    this.before = h("tbody", { class: "space", "aria-hidden": "true" }, h("tr", null, h("td")));
    this.body = h("tbody");
    this.after = h("tbody", { class: "space", "aria-hidden": "true" }, h("tr", null, h("td")));
    this.head = h("tr", { "aria-rowindex": "1" });
    this.element = h("table", { class: "halls", role: "grid", tabindex: "-1", "aria-label": options.label },
      h("thead", null, this.head), this.before, this.body, this.after);
    this.onScroll = () => this.later();
    addEventListener("scroll", this.onScroll, { passive: true });
    addEventListener("resize", this.onScroll, { passive: true });
    this.onPrint = event => { this.whole = event.type === "beforeprint"; this.draw(); }; // paper does not scroll
    addEventListener("beforeprint", this.onPrint);
    addEventListener("afterprint", this.onPrint);
  }

  close() {
    removeEventListener("scroll", this.onScroll);
    removeEventListener("resize", this.onScroll);
    removeEventListener("beforeprint", this.onPrint);
    removeEventListener("afterprint", this.onPrint);
  }

  later() {
    this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.draw(); });
  }

  show(rows) {
    this.rows = rows;
    this.drawHead();
    this.draw();
  }

  toTop() {
    if (scrollY > 0) scrollTo(0, 0);
  }

  drawHead() {
    const { columns, sort, sorted } = this.options;
    const now = sorted();
    render(this.head, columns.map(column => {
      const active = now.sort === column.id;
      return h("th", { scope: "col", key: column.id, class: `w${column.wide} c-${column.id} ${column.number ? "number" : ""}`,
        "aria-sort": active ? (now.down ? "descending" : "ascending") : "none" },
      h("button", { type: "button", title: column.help, onclick: () => sort(column) }, column.title,
        h("span", { class: "arrow", "aria-hidden": "true" }, active ? (now.down ? "↓" : "↑") : "")));
    }));
  }

  rowHeight() {
    return parseFloat(getComputedStyle(this.element).getPropertyValue("--row")) || 30;
  }

  draw() {
    const height = this.rowHeight();
    const top = this.element.getBoundingClientRect().top + this.head.offsetHeight;
    const seen = Math.max(0, Math.floor(-top / height));
    const first = this.whole ? 0 : Math.max(0, Math.min(this.rows.length, seen - SPARE));
    const last = this.whole ? this.rows.length : Math.min(this.rows.length, Math.ceil((innerHeight - top) / height) + SPARE);
    const space = (part, count) => { part.firstChild.firstChild.style.height = `${count * height}px`; part.hidden = count === 0; };
    this.element.setAttribute("aria-rowcount", String(this.rows.length + 1));
    space(this.before, first);
    space(this.after, Math.max(0, this.rows.length - last));
    const shown = this.rows.slice(first, Math.max(first, last));
    const within = this.body.contains(document.activeElement);
    const entry = shown.find(row => row.node_id === this.chosen) ?? this.rows[seen]; // where Tab comes in
    render(this.body, shown.length ? shown.map((row, i) => this.row(row, first + i, row === entry)) : this.nothing());
    if (within && document.activeElement === document.body) this.element.focus({ preventScroll: true }); // its row went out of sight
  }

  nothing() {
    return h("tr", { class: "empty", key: "" }, h("td", { colspan: String(this.options.columns.length) }, this.options.empty()));
  }

  row(row, index, current) {
    const fresh = row.changed && performance.now() - row.changed < 8000;
    return h("tr", { key: row.node_id, class: `${row.level} ${fresh ? "fresh" : ""}`, tabindex: current ? "0" : "-1", "aria-rowindex": String(index + 2),
      "aria-selected": row.node_id === this.chosen ? "true" : "false",
      onclick: event => { if (!event.target.closest("a") && !getSelection().toString()) this.options.open(row); },
      onfocus: () => this.choose(row.node_id) },
    this.options.columns.map(column => h(column.header ? "th" : "td", {
      scope: column.header ? "row" : null, title: column.whole?.(row), class: `w${column.wide} c-${column.id} ${column.number ? "number" : ""}` }, column.cell(row))));
  }

  // ---- keyboard ----

  choose(id) {
    this.chosen = id;
    this.options.choose(id);
  }

  // Of the row last chosen, if it is in sight.
  chosenRow() {
    return this.body.querySelector("tr[aria-selected=true]");
  }

  focusFirst() {
    if (this.rows.length) this.focus(0);
  }

  focus(index) {
    const at = Math.max(0, Math.min(this.rows.length - 1, index));
    if (at < 0) return;
    this.choose(this.rows[at].node_id);
    const height = this.rowHeight();
    const top = this.element.getBoundingClientRect().top + this.head.offsetHeight + at * height;
    const room = 2 * height + this.head.offsetHeight;
    if (top < room) scrollBy(0, top - room);
    else if (top + height > innerHeight - height) scrollBy(0, top + 2 * height - innerHeight);
    this.draw();
    this.chosenRow()?.focus({ preventScroll: true });
  }

  key(event) {
    const at = this.rows.findIndex(row => row.node_id === this.chosen);
    const page = Math.max(1, Math.floor(innerHeight / this.rowHeight()) - 6);
    const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.rows.length - 1 }[event.key];
    if (to !== undefined) this.focus(to);
    else if (event.key === "Enter" && at >= 0 && this.body.contains(document.activeElement)) this.options.open(this.rows[at]);
    else return false;
    return true;
  }
}
