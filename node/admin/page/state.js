// What the page knows: the session, the model, and the region as the node last told it, live.
import { get } from "./api.js";
import { classify } from "./marks.js";

export const state = {
  session: null,
  model: { fields: {}, causes: {}, conflicts: {}, kinds: {} },
  node: {},
  rows: new Map(), // node_id -> {node_id, state, ..., level, changed}
  nowMs: 0,
  asOfMs: 0,
  live: false,
  recent: [], // {time_ms, node_id, level, was}
  alarms: [], // as the node told them, newest first
};

const SOON_MS = 1200;
const RECENT_MAX = 50;
const SILENT_MS = 12000;
const OLD_MS = 8000; // so long ago hallsyncd has answered its console
const WHOLE_MS = 300000;
const WAKE_MS = 2000;
const listeners = new Set();
let source = null;
let heardAt = 0, heardTime = 0; // the last sign of life, by both clocks: while a computer sleeps the first one may stand still
let dialledAt = 0;
let resting = false;
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
  heardAt = performance.now();
  heardTime = Date.now();
  state.nowMs = message.now_ms ?? state.nowMs;
  state.asOfMs = message.as_of_ms ?? state.nowMs;
  drift = state.nowMs - Date.now();
  judge();
}

const silent = () => Math.max(performance.now() - heardAt, Date.now() - heardTime) > SILENT_MS;

// Live is only what has just been heard of a node that itself has just answered.
function judge() {
  if (resting) return;
  const old = state.nowMs - state.asOfMs > OLD_MS;
  const live = source?.readyState === EventSource.OPEN && !silent() && !old;
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
  dialledAt = performance.now();
  const dialled = source = new EventSource("api/events");
  const on = (name, handler) => source.addEventListener(name, event => handler(JSON.parse(event.data)));
  let opened = false;
  source.onopen = () => {
    if (opened) reload(); // what was told meanwhile is not told again
    opened = true;
    judge();
  };
  source.onerror = () => {
    judge();
    if (dialled.readyState === EventSource.CLOSED) setTimeout(() => { if (source === dialled) connectAgain(); }, 3000);
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
  watchdog = setInterval(watch, 1000);
  whole = setInterval(() => { if (!document.hidden && state.live) reload(); }, WHOLE_MS); // whatever was missed
  if (document.hidden) rest();
  else pages.postMessage("seen");
}

// The browser gives up where it is answered with an error: a node that restarts, a session that ended.
async function connectAgain() {
  connect();
  await reload();
  resting = source === null;
  judge();
}

// A browser has six connections to a node, for all its pages: one that is hidden leaves them to another that is seen.
const pages = new BroadcastChannel("hallsync");
pages.onmessage = () => { if (source && document.hidden) rest(); };

function rest() {
  resting = true;
  source.close();
  source = null;
}

function watch() {
  const age = performance.now() - dialledAt;
  if (!source) {
    if (!document.hidden) connectAgain();
  } else if (silent() && age > SILENT_MS) {
    connectAgain(); // a line may end without a word, when a computer slept or a router forgot it, and looks open for hours
  } else if (resting && age > WAKE_MS) {
    resting = false;
  }
  judge();
}

document.addEventListener("visibilitychange", () => {
  if (!state.session || document.hidden) return;
  pages.postMessage("seen");
  watch();
});

export function disconnect() {
  clearInterval(watchdog);
  clearInterval(whole);
  source?.close();
  source = null;
}

export function forget() {
  disconnect();
  state.live = resting = false;
  state.session = null;
  state.rows.clear();
  state.recent.length = 0;
  state.alarms = [];
  state.node = {};
}
