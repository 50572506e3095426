// Numbers, times and money in the words of the chosen language.
import { language, locale, t } from "./text.js";

const cache = new Map();

function formatter(make, options) {
  const key = make.name + language() + JSON.stringify(options);
  if (!cache.has(key)) cache.set(key, new make(locale(), options));
  return cache.get(key);
}

export const absent = value => value === undefined || value === null;
export const NOTHING = "–";

export function number(value, digits = 0) {
  return absent(value) ? NOTHING : formatter(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value).replace(/^-0$/, "0");
}

export const days = value => absent(value) ? NOTHING : value < 1 ? span(value * 86400) :
  formatter(Intl.NumberFormat, { style: "unit", unit: "day", unitDisplay: "long", maximumFractionDigits: 0 }).format(Math.floor(value));

function unit(value, name, digits) {
  return formatter(Intl.NumberFormat, { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits }).format(value);
}

// Fen as yuan: digits are moved, nothing is calculated, so that no amount is ever rounded.
export function yuan(fen) {
  if (absent(fen)) return NOTHING;
  const sign = BigInt(fen) < 0n ? "−" : "";
  const digits = String(BigInt(fen)).replace("-", "").padStart(3, "0");
  return `${sign}¥${formatter(Intl.NumberFormat, {}).format(BigInt(digits.slice(0, -2)))}.${digits.slice(-2)}`;
}

const STEPS = [[86400, "day", 3600, "hour"], [3600, "hour", 60, "minute"], [60, "minute", 1, "second"]];

// "2h 5m", "12h"; exact: seconds beside minutes, too.
export function span(seconds, exact = false) {
  if (absent(seconds)) return NOTHING;
  if (seconds < 60) return t("short_second", { n: number(Math.max(0, Math.floor(seconds))) });
  const [size, name, small, smaller] = STEPS.find(([step]) => seconds >= step);
  const whole = Math.floor(seconds / size);
  const rest = Math.floor((seconds - whole * size) / small);
  const text = t(`short_${name}`, { n: number(whole) });
  return rest && whole < 10 && (exact || name !== "minute") ? t("and_rest", { whole: text, rest: t(`short_${smaller}`, { n: rest }) }) : text;
}

export const age = (ms, now) => absent(ms) || !ms ? NOTHING : span((now - ms) / 1000);

export function bytes(value) {
  if (absent(value)) return NOTHING;
  const names = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let at = 0;
  for (; value >= 1000 && at < names.length - 1; at++) value /= 1000;
  return at === 0 ? `${number(value)} B` : unit(value, names[at], value < 10 ? 1 : 0);
}

// Times are those of the node's region, wherever the browser is.
let offset = -new Date().getTimezoneOffset() * 60000;

export function setOffset(minutes) {
  if (!absent(minutes)) offset = minutes * 60000;
}

export const offsetMs = () => offset;

// UTC+08:00
export function zone() {
  const minutes = Math.abs(offset) / 60000;
  const two = value => String(value).padStart(2, "0");
  return `UTC${offset < 0 ? "−" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const local = ms => new Date(ms + offset); // its UTC fields are the region's

const times = (ms, options) => formatter(Intl.DateTimeFormat, { ...options, timeZone: "UTC" }).format(local(ms));
const sameDay = (a, b) => local(a).toISOString().slice(0, 10) === local(b).toISOString().slice(0, 10);

// 20261121: the business date at that time.
export const dayNumber = ms => local(ms).toISOString().slice(0, 10).replaceAll("-", "");

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

export function clock(ms, now = Date.now(), seconds = false) {
  if (absent(ms) || !ms) return NOTHING;
  const time = seconds ? { ...CLOCK, second: "2-digit" } : CLOCK;
  const year = local(ms).getUTCFullYear() === local(now).getUTCFullYear() ? {} : { year: "numeric" };
  return times(ms, sameDay(ms, now) ? time : { ...year, month: "short", day: "numeric", ...time });
}

export const day = ms => times(ms, { month: "short", day: "numeric" });

export const moment = ms => absent(ms) || !ms ? NOTHING : times(ms, { year: "numeric", month: "short", day: "numeric", ...CLOCK, second: "2-digit" });

const utc = text => Date.UTC(+text.slice(0, 4), +text.slice(4, 6) - 1, +text.slice(6));

// "20261121", and a day that there is.
export const isDay = text => /^\d{8}$/.test(text) && new Date(utc(text)).toISOString().slice(0, 10).replaceAll("-", "") === text;

// 20261121 or "20261121": a business date has no time zone.
export function date(day) {
  const text = String(day ?? "");
  if (!/^\d{8}$/.test(text)) return text || NOTHING;
  return formatter(Intl.DateTimeFormat, { dateStyle: "full", timeZone: "UTC" }).format(utc(text));
}

export const seconds = value => absent(value) ? NOTHING : span(value);

const away = (ms, now) => ms > now ? t("ahead", { span: span((ms - now) / 1000) }) : t("ago", { span: age(ms, now) });

// A figure of the status by its name, with its unit unless it is a count.
export function figure(name, value, now) {
  if (absent(value) || value === "" || value.length === 0) return NOTHING;
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (Array.isArray(value)) return value.map(one => figure(name, one, now)).join("; ");
  if (typeof value === "object") return Object.entries(value).map(([part, one]) => `${part} ${figure(part, one, now)}`).join(", ");
  if (typeof value !== "number") return String(value);
  if (name === "date") return date(value);
  if (name.endsWith("_fen")) return yuan(value);
  if (name.endsWith("bytes")) return bytes(value);
  if (name.endsWith("bytes_per_s")) return `${bytes(value)}/s`;
  if (name.endsWith("_per_s")) return `${number(value, 1)}/s`;
  if (name.endsWith("_seconds") || name.endsWith("_s")) return span(value);
  if (name === "clock_offset_ms" || name === "round_trip_ms") return unit(value, "millisecond", 0);
  if (name.endsWith("_ms") && value > 1e12) return `${clock(value, now)} (${away(value, now)})`;
  return number(value, 1);
}
