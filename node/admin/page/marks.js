// States: a level, a shape and a word each, so that none is told by colour alone; and the small line of the last hour.
import { h, svg } from "./dom.js";
import { absent, clock, NOTHING } from "./format.js";
import { language, t } from "./text.js";

export const LEVELS = ["trouble", "away", "behind", "well"]; // worst first

const AWAY = new Set(["link-down", "away"]); // causes
const AWAY_STATES = new Set(["away", "down", "connecting", "hello"]);
const BY_SORT = { well: "well", moving: "behind", trouble: "trouble" };
const NOT_BEHIND = new Set(["", "none", "not-behind"]);

// Nothing is to be done.
export const quiet = (cause, model) => NOT_BEHIND.has(cause ?? "") || model.causes[cause]?.sort === "well";

export function classify(row, model) {
  if (row.comparison === "damage") return "trouble";
  if (AWAY.has(row.cause)) return "away";
  const sort = BY_SORT[model.causes[row.cause]?.sort];
  if (sort) return sort;
  if (AWAY_STATES.has(row.state)) return "away"; // a cause that this page does not know, or none
  return quiet(row.cause, model) && row.state !== "refused" ? "well" : "trouble";
}

const SHAPES = {
  open: () => svg("path", { d: "M2 6h8", class: "stroke" }),
  well: () => svg("circle", { cx: 6, cy: 6, r: 3.6, class: "ring" }),
  behind: () => [svg("circle", { cx: 6, cy: 6, r: 4.4, class: "ring" }), svg("path", { d: "M6 1.6a4.4 4.4 0 0 1 0 8.8z", class: "solid" })],
  away: () => svg("path", { d: "M2 2l8 8M10 2l-8 8", class: "stroke" }),
  trouble: () => svg("path", { d: "M6 .8 11.6 11H.4z", class: "solid" }),
};

export function shape(level) {
  return svg("svg", { viewBox: "0 0 12 12", class: `shape ${level}`, "aria-hidden": "true" }, SHAPES[level]());
}

export function mark(level, word = t(`level_${level}`)) {
  return h("span", { class: `mark ${level}` }, shape(level), h("span", { class: "word" }, word));
}

export function causeText(cause, model) {
  if (NOT_BEHIND.has(cause ?? "")) return "";
  return model.causes[cause]?.[language()] ?? cause;
}

// When the records were last proven equal: connection alone proves nothing.
export function proof(row, now) {
  if (row.comparison === "damage") return h("span", { class: "mark trouble" }, shape("trouble"), h("span", { class: "word" }, t("damaged")));
  if (absent(row.equal_as_of_ms) || !row.equal_as_of_ms) return h("span", { class: "nil" }, row.state === "live" ? t("not_compared") : NOTHING);
  return t("equal_as_of", { time: clock(row.equal_as_of_ms, now) });
}

// The height is the root of the lag, so that a small one is seen beside a large one.
export function sparkline(values, label) {
  const known = (values ?? []).map(value => value === null ? null : Math.sqrt(Math.max(0, value)));
  const most = Math.max(1, ...known.filter(value => value !== null));
  const width = 72, height = 16, step = width / Math.max(1, known.length - 1);
  let line = "", pen = false;
  known.forEach((value, i) => {
    if (value !== null) line += `${pen ? "L" : "M"}${(i * step).toFixed(1)} ${(height - 1.5 - value / most * (height - 3)).toFixed(1)}`;
    pen = value !== null;
  });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "spark", role: "img", "aria-label": label, preserveAspectRatio: "none" },
    svg("path", { d: line || "M0 0" }));
}
