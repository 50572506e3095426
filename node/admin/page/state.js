// What the page knows: the session, the model, and the region as the node last told it, live.
import { get } from "./api.js";
import { classify } from "./marks.js";

export const state = {
  session: null,
  model: { fields: {}, causes: {} },
  node: {},
  rows: new Map(), // node_id -> {node_id, state, ..., level, changed}
  nowMs: 0,
  asOfMs: 0,
  heardAt: 0, // performance.now() of the last sign of life
  live: false,
  recent: [], // {time_ms, node_id, level, was}
  alarms: [], // as the node told them, newest first
};

const SOON_MS = 1200;
const RECENT_MAX = 50;
const SILENT_MS = 12000;
const OLD_MS = 8000; // so long ago hallsyncd has answered its console
const WHOLE_MS = 300000;
const listeners = new Set();
let source = null;
let columns = [];
let soon;
let watchdog = 0, whole = 0;
let drift = 0; // the node's clock less ours

export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(what) {
  for (const listener of [...listeners]) listener(what);
}

export const now = () => Date.now() + drift;
export const may = role => ["viewer", "operator", "administrator"].indexOf(state.session?.role) >= ["viewer", "operator", "administrator"].indexOf(role);
export const isHall = () => state.session?.node.role === "hall";

function takeRow(cells) {
  const row = Object.fromEntries(columns.map((name, i) => [name, cells[i]]));
  const before = state.rows.get(row.node_id);
  if (row.spark === undefined || row.spark === null) row.spark = before?.spark ?? null;
  row.level = classify(row, state.model);
  row.text = `${row.node_id} ${row.role} ${(row.districts ?? []).toString()} ${row.version ?? ""}`.toLowerCase();
  if (before && before.level !== row.level) {
    row.changed = performance.now();
    state.recent.unshift({ time_ms: state.nowMs, node_id: row.node_id, level: row.level, was: before.level });
    state.recent.length = Math.min(state.recent.length, RECENT_MAX);
  } else {
    row.changed = before?.changed ?? 0;
  }
  state.rows.set(row.node_id, row);
}

function heard(message) {
  state.heardAt = performance.now();
  state.nowMs = message.now_ms ?? state.nowMs;
  state.asOfMs = message.as_of_ms ?? state.nowMs;
  drift = state.nowMs - Date.now();
  judge();
}

// Live is only what has just been heard of a node that itself has just answered.
function judge() {
  const silent = performance.now() - state.heardAt > SILENT_MS;
  const old = state.nowMs - state.asOfMs > OLD_MS;
  const live = source !== null && source.readyState === EventSource.OPEN && !silent && !old;
  if (live === state.live) return;
  state.live = live;
  tell("link");
}

function takeStatus(message) {
  heard(message);
  if (message.node) state.node = message.node;
  for (const cells of message.rows ?? []) takeRow(cells);
  for (const id of message.gone ?? []) state.rows.delete(id);
  tell("status");
}

export async function load() {
  const overview = await get("overview");
  columns = overview.columns;
  heard(overview);
  state.node = overview.node;
  const fresh = new Set();
  for (const cells of overview.rows) {
    takeRow(cells);
    fresh.add(cells[columns.indexOf("node_id")]);
  }
  for (const id of [...state.rows.keys()]) if (!fresh.has(id)) state.rows.delete(id);
  tell("status");
}

async function reload() {
  try {
    await load();
  } catch (error) {
    tell(error);
  }
}

// Something was changed, or has happened: figures of the node itself are told less often than rows.
export function lookSoon() {
  soon ??= setTimeout(() => {
    soon = undefined;
    if (state.live) reload();
  }, SOON_MS);
}

export function connect() {
  disconnect();
  source = new EventSource("api/events");
  const on = (name, handler) => source.addEventListener(name, event => handler(JSON.parse(event.data)));
  let opened = false;
  source.onopen = () => {
    if (opened) reload(); // what was told meanwhile is not told again
    opened = true;
    judge();
  };
  source.onerror = () => {
    judge();
    if (source.readyState === EventSource.CLOSED) setTimeout(() => source && connectAgain(), 3000);
  };
  on("status", takeStatus);
  on("beat", heard);
  on("alarm", alarm => {
    state.alarms = [alarm, ...state.alarms].slice(0, RECENT_MAX);
    tell({ alarm });
    lookSoon();
  });
  on("reload", reload);
  on("bye", () => tell("bye"));
  watchdog = setInterval(judge, 1000);
  whole = setInterval(() => { if (!document.hidden && state.live) reload(); }, WHOLE_MS); // whatever was missed
}

// The browser gives up where it is answered with an error: a node that restarts, a session that ended.
async function connectAgain() {
  connect();
  await reload();
}

export function disconnect() {
  clearInterval(watchdog);
  clearInterval(whole);
  source?.close();
  source = null;
  state.live = false;
}

export function forget() {
  disconnect();
  state.session = null;
  state.rows.clear();
  state.recent.length = 0;
  state.alarms = [];
  state.node = {};
}
