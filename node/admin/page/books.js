// The cash books of a business day: what each hall took and closed, and whether the hubs agree.
import { h } from "./dom.js";
import { date, dayNumber, isDay, moment, number, yuan } from "./format.js";
import { mark } from "./marks.js";
import { cells, field, heading, List } from "./parts.js";
import { now } from "./state.js";
import { known, t } from "./text.js";

const LEVEL = { agrees: "well", open: "open", unanswered: "behind", waiting: "behind", differs: "trouble" };
const WORST = ["differs", "waiting", "unanswered", "open", "agrees"];

const books = name => mark(LEVEL[name] ?? "trouble", known(`books_${name}`) ? t(`books_${name}`) : name);
const money = fen => [yuan(fen), true];
const counted = count => count ? number(count) : "";
const some = (count, fen) => count ? [h("span", null, yuan(fen), h("small", null, ` ${t("entries_n", { n: number(count) })}`)), true] : ["", true];

function head(first) {
  return h("thead", null, h("tr", null, cells("th", [[first], [t("books")], [t("entries"), true], [t("taken"), true], [t("closed"), true], [t("in_cash"), true],
    [t("later"), true], [t("twice"), true], [t("counted"), true], [t("difference"), true], [t("handed_in"), true]])));
}

function row(book, name) {
  return h("tr", { key: `${book.hall}/${book.window ?? ""}` }, h("th", { scope: "row" }, name), h("td", null, books(book.books)),
    cells("td", [[number(book.entries), true], money(book.sum_fen), money(book.closed_fen), money(book.cash_fen), some(book.later_entries, book.later_fen),
      [counted(book.twice_entries), true], money(book.counted_fen), money(book.difference_fen), money(book.handed_fen)]));
}

const sum = (list, name) => list.reduce((total, book) => total + BigInt(book[name] ?? 0), 0n);

function total(list) {
  return h("tfoot", null, h("tr", null, h("th", { scope: "row" }, t("all_halls")), h("td"), cells("td", [[number(Number(sum(list, "entries"))), true],
    money(sum(list, "sum_fen")), money(sum(list, "closed_fen")), money(sum(list, "cash_fen")), money(sum(list, "later_fen")),
    [counted(Number(sum(list, "twice_entries"))), true], ["", true], ["", true], money(sum(list, "handed_fen"))])));
}

function region(list, day) {
  if (!list.length) return h("p", { class: "nil big" }, t("no_books"));
  const sorted = [...list].sort((a, b) => WORST.indexOf(a.books) - WORST.indexOf(b.books) || (a.hall < b.hall ? -1 : 1));
  return h("div", { class: "scroll" }, h("table", { class: "plain wide" }, head(t("hall")),
    h("tbody", null, sorted.map(book => row(book, h("a", { href: `#/books/${day}/${encodeURIComponent(book.hall)}` }, book.hall)))), total(list)));
}

// ---- one hall ----

function answer(one) {
  const numbers = one.numbers?.length ? h("ul", { class: "evidence" }, one.numbers.map(text => h("li", null, h("code", null, text))),
    one.more ? h("li", null, t("and_more", { n: number(one.more) })) : null) : null;
  return h("li", null, books(one.verdict), ` ${one.node}: ${t("entries_n", { n: number(one.entries) })}, ${yuan(one.sum_fen)} (${moment(one.time_ms)})`, numbers);
}

function close(one) {
  return h("section", { class: "close" }, h("h2", null, `${t("close_of", { time: moment(one.time_ms) })} `, books(one.books)),
    h("p", null, `${t("entries_n", { n: number(one.entries) })}, ${yuan(one.sum_fen)}`, one.clerk ? ` · ${one.clerk}` : "", one.reason ? ` · ${one.reason}` : ""),
    one.answers?.length ? h("ul", { class: "answers" }, one.answers.map(answer)) : h("p", { class: "nil" }, t("no_answer")));
}

function hall(list) {
  if (!list.length) return h("p", { class: "nil big" }, t("no_books"));
  return [h("div", { class: "scroll" }, h("table", { class: "plain wide" }, head(t("window")),
    h("tbody", null, list.map(book => row(book, book.window === undefined || book.window === null ? t("whole_hall") : t("window_n", { n: book.window })))))),
  list.flatMap(book => book.closes ?? []).map(close)];
}

export function booksOfDay(main, given = "", id = "") {
  const day = isDay(given) ? given : dayNumber(now());
  const input = h("input", { type: "date", min: "2000-01-01", max: "2099-12-31", value: `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}` });
  const go = text => { location.hash = `#/books/${text}${id ? `/${encodeURIComponent(id)}` : ""}`; };
  input.onchange = () => { if (input.value && input.validity.valid) go(input.value.replaceAll("-", "")); }; // not with each digit of a year
  const jump = (key, ms) => h("button", { type: "button", class: "plain", onclick: () => go(dayNumber(ms)) }, t(key));
  const list = new List({ path: "books", query: () => ({ date: day, hall: id }), items: reply => reply.books ?? [],
    draw: rows => id ? hall(rows) : region(rows, day) });
  if (id) main.append(h("a", { href: `#/books/${day}`, class: "back" }, "← ", t("books_of_day")));
  main.append(heading(id || t("books_of_day"), date(day)), h("div", { class: "tools" }, field(t("date"), input), jump("yesterday", now() - 86400000), jump("today", now())), list.element);
  list.load();
  return { title: t("books_of_day"), back: id ? `#/books/${day}` : "#/", close: () => list.close() };
}
