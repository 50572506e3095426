// One hall (or the node itself): why it is behind and what to do, the timeline, lanes, events, and every figure with its meaning.
import { get } from "./api.js";
import { Timeline } from "./chart.js";
import { h, render } from "./dom.js";
import { absent, age, bytes, clock, days, figure, moment, NOTHING, number, seconds } from "./format.js";
import { causeText, classify, mark, proof, quiet, sparkline } from "./marks.js";
import { copy, failure } from "./parts.js";
import { listen, now, state } from "./state.js";
import { language, t } from "./text.js";

const calm = cause => quiet(cause, state.model);
const said = text => typeof text === "string" ? text : text?.[language()] ?? text?.en ?? "";

export function why(info) {
  const cause = info.why?.code;
  const known = state.model.causes[cause] ?? {};
  const tone = calm(cause) ? "calm" : known.sort === "moving" ? "moving" : "";
  const next = info.why?.next ?? {};
  const step = said(next) || known[`next_${language()}`];
  return h("section", { class: `why ${tone}`, "aria-labelledby": "why-title", key: "why" },
    h("h2", { id: "why-title" }, t("why")),
    h("p", { class: "cause" }, causeText(cause, state.model) || t("not_behind")),
    info.why?.evidence?.length ? h("ul", { class: "evidence" }, info.why.evidence.map(line => h("li", null, said(line)))) : null,
    !calm(cause) && step ? h("p", { class: "next" }, h("b", null, t("next_step")), " ", step) : null,
    !calm(cause) && next.command ? copy(next.command) : null);
}

function card(name, value, note) {
  return h("div", null, h("dt", null, name), h("dd", null, value ?? NOTHING), note ? h("dd", { class: "note" }, note) : null);
}

const rate = value => absent(value) ? null : t("per_second", { n: number(value, 1) });

function cards(peer) {
  const late = Math.max(peer.lag_out_seconds ?? 0, peer.lag_in_seconds ?? 0);
  const waits = (peer.lag_out_ops ?? 0) + (peer.lag_in_ops ?? 0) > 0;
  return h("dl", { class: "cards", key: "cards" },
    card(t("column_to_send"), number(peer.lag_out_ops), [absent(peer.lag_out_bytes) ? null : bytes(peer.lag_out_bytes), rate(peer.out_ops_per_s)].filter(Boolean).join(" · ")),
    card(t("column_to_come"), number(peer.lag_in_ops), [absent(peer.lag_in_bytes) ? null : bytes(peer.lag_in_bytes), rate(peer.in_ops_per_s)].filter(Boolean).join(" · ")),
    card(t("column_waits"), waits ? seconds(late) : NOTHING),
    card(t("column_caught_up"), waits ? clock(peer.caught_up_ms, now()) : absent(peer.lag_out_ops) ? NOTHING : t("up_to_date"), waits && absent(peer.caught_up_ms) ? t("no_forecast") : null),
    card(t("column_equal"), proof(peer, now())),
    card(t("column_clock"), absent(peer.clock_offset_ms) ? NOTHING : t("seconds", { n: number(peer.clock_offset_ms / 1000, 2) }),
      absent(peer.round_trip_ms) ? null : t("round_trip", { n: number(peer.round_trip_ms) })),
    card(t("column_disk"), days(peer.disk_days), absent(peer.disk_free_bytes) ? null : t("free", { n: bytes(peer.disk_free_bytes) })),
    card(t("column_backup"), age(peer.backup_ms, now())));
}

export function lanes(list, title) {
  const cell = value => h("td", { class: "number" }, value);
  return h("section", { key: "lanes", "aria-label": title }, h("h2", null, title),
    list?.length ? h("div", { class: "scroll" }, h("table", { class: "plain" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("lane")), ["column_to_send", "column_bytes", "oldest_out", "column_to_come", "oldest_in", "rate_out", "rate_in"]
        .map(key => h("th", { scope: "col", class: "number" }, t(key))))),
      h("tbody", null, list.map(lane => h("tr", null, h("th", { scope: "row" }, lane.lane), cell(number(lane.out_ops)), cell(bytes(lane.out_bytes)),
        cell(lane.out_ops ? seconds(lane.out_seconds) : NOTHING), cell(number(lane.in_ops)), cell(lane.in_ops ? seconds(lane.in_seconds) : NOTHING),
        cell(rate(lane.out_ops_per_s) ?? NOTHING), cell(rate(lane.in_ops_per_s) ?? NOTHING))))))
      : h("p", { class: "nil" }, t("no_lanes")));
}

function events(list) {
  return h("section", { key: "events", "aria-label": t("events") }, h("h2", null, t("events")),
    list?.length ? h("ol", { class: "events" }, list.map(event => h("li", null, h("time", null, clock(event.time_ms, now(), true)), h("span", null, said(event) || event.code))))
      : h("p", { class: "nil" }, t("no_events")));
}

const HIDDEN = new Set(["lanes", "waiting", "histograms", "counters", "peers", "node"]);

const BARE = /^[\d.,]+$/; // what has its unit beside it needs none in the column

function figures(message, kind, title) {
  const rows = Object.entries(message).filter(([name]) => !HIDDEN.has(name)).map(([name, value]) => {
    const field = state.model.fields[`${kind}.${name}`] ?? state.model.fields[name];
    const text = figure(name, value, now());
    return h("tr", null, h("th", { scope: "row" }, field?.[language()] ?? name, h("code", null, name)), h("td", null, text), h("td", { class: "unit" }, BARE.test(text) ? field?.unit ?? "" : ""));
  });
  return h("details", { key: "figures", class: "all", "data-shown": "" }, h("summary", null, title),
    h("div", { class: "scroll" }, h("table", { class: "plain" }, h("thead", null, h("tr", null, [t("figure"), t("value"), t("unit")].map(name => h("th", { scope: "col" }, name)))), h("tbody", null, rows))));
}

function list(items, title) {
  return items?.length ? h("section", { key: title, class: "problems" }, h("h2", null, title), h("ul", null, items.map(item => h("li", null, item)))) : null;
}

const knock = one => [one.key ? [h("code", null, one.key.slice(0, 16)), " "] : null, one.address ? `${one.address}: ` : "",
  `${one.text ?? one.reason ?? one.why ?? ""} (${t("times", { n: number(one.count) })}, ${clock(one.last_ms, now())})`];

function title(info, id) {
  const peer = info.peer;
  const level = peer ? classify({ ...peer, cause: info.why?.code ?? peer.cause }, state.model) : calm(info.why?.code) ? "well" : "trouble";
  const row = state.rows.get(id);
  return h("header", { class: "title", key: "title" },
    h("a", { href: "#/", class: "back" }, "← ", t("overview")),
    h("h1", null, id, " ", mark(level)),
    h("p", { class: "sub" }, [t(`role_${peer?.role ?? info.node?.role ?? "hall"}`), peer?.since_ms ? t("so_for", { span: age(peer.since_ms, now()) }) : null,
      (peer?.districts ?? info.node?.districts)?.length ? t("districts_are", { list: (peer?.districts ?? info.node.districts).join(", ") }) : null,
      peer?.version ?? info.node?.version, peer?.address].filter(Boolean).join(" · "), row ? sparkline(row.spark, t("lag_of_hour")) : null));
}

export function hall(main, id) {
  const box = h("div", { class: "hall" }), late = h("div", { class: "hall" });
  const timeline = new Timeline(id);
  const own = id === state.session.node.node_id; // of itself a node has no samples
  timeline.element.hidden = own;
  let info = null;
  const draw = () => {
    if (!info) return;
    timeline.element.hidden = own;
    const node = info.peer ? null : { ...state.node };
    info.node = node ?? state.node;
    render(box, title(info, id), why(info), info.peer ? cards(info.peer) : null, list(node?.problems, t("problems")), list(node?.refused?.map(knock), t("refused")));
    render(late, lanes(info.peer ? info.peer.lanes : node.waiting, t("lanes")), events(info.events), figures(info.peer ?? node, info.peer ? "PeerStatus" : "StatusReply", t("all_figures")),
      h("p", { class: "asof", key: "asof" }, t("as_of", { time: moment(info.now_ms) })));
  };
  let busy = false, closed = false, missed = 0;
  const fetchInfo = async () => {
    if (busy || closed) return;
    busy = true;
    try {
      info = await get(`node/${encodeURIComponent(id)}`);
      missed = 0;
      if (!closed) draw();
    } catch (error) {
      missed++; // one that has just come may be in no list for a moment
      if (!closed && (!info || error.status !== 0 && missed > 2)) {
        timeline.element.hidden = true;
        render(box, h("header", { class: "title", key: "title" }, h("a", { href: "#/", class: "back" }, "← ", t("overview")), h("h1", null, id)), failure(error));
        render(late);
      }
    }
    busy = false;
  };
  main.append(box, timeline.element, late);
  if (!own) timeline.load();
  fetchInfo();
  const stop = listen(what => { if (what === "status") fetchInfo(); });
  const ticks = setInterval(() => { if (!document.hidden) fetchInfo(); }, 5000);
  return { title: id, close: () => { closed = true; stop(); clearInterval(ticks); timeline.close(); }, back: "#/" };
}
