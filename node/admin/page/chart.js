// The timeline of a hall: how far behind it was, and when there was no link.  Drawn by Chart.js, fetched when a hall is first looked at.
import { get } from "./api.js";
import { h, render } from "./dom.js";
import { bytes, clock, day, number, offsetMs, span } from "./format.js";
import { failure } from "./parts.js";
import { now } from "./state.js";
import { t } from "./text.js";

const SPANS = ["hour", "day", "month"];
const FIGURES = {
  lag_seconds: { format: value => span(value, true) },
  lag_ops: { format: value => number(value) },
  out_bytes_per_s: { format: value => `${bytes(value)}/s` },
};
const STEPS_S = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 2 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 5 * 86400, 10 * 86400, 30 * 86400];
const TICKS_MS = { hour: 600000, day: 4 * 3600000, month: 5 * 86400000 };
const REFRESH_MS = { hour: 15000, day: 120000, month: 600000 };

let library = null;

function chartLibrary() {
  library ??= new Promise((resolve, reject) => {
    const script = h("script", { src: "chart.min.js" });
    script.onload = () => {
      window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
      resolve(window.Chart);
    };
    script.onerror = () => { library = null; reject(new Error(t("no_chart"))); };
    document.head.append(script);
  });
  return library;
}

const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Where there was no link: hatched; where nothing was sampled: nothing at all.
function hatch(context) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.strokeStyle = color("--away");
  pen.globalAlpha = 0.45;
  pen.beginPath();
  pen.moveTo(0, 8);
  pen.lineTo(8, 0);
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

function linkBands(samples) {
  return {
    id: "link",
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea, scales: { x } } = chart;
      ctx.save();
      ctx.fillStyle = hatch(ctx);
      samples.link.forEach((link, i) => {
        if (link !== 0) return;
        const from = x.getPixelForValue(i - 0.5), to = x.getPixelForValue(i + 0.5);
        ctx.fillRect(Math.max(from, chartArea.left), chartArea.top, Math.min(to, chartArea.right) - Math.max(from, chartArea.left), chartArea.bottom - chartArea.top);
      });
      ctx.restore();
    },
  };
}

function axis(format, extra) {
  return { grid: { color: color("--line"), drawBorder: false }, ticks: { color: color("--soft"), callback: format, maxTicksLimit: 6, maxRotation: 0, ...extra } };
}

// Ticks at round times of day.
function roundTimes(samples, span_) {
  const { from_ms: from, step_ms: step } = samples;
  const zone = -offsetMs();
  const every = TICKS_MS[span_];
  return scale => {
    scale.ticks = [];
    for (let at = Math.ceil((from - zone) / every) * every + zone; (at - from) / step <= scale.max; at += every) scale.ticks.push({ value: (at - from) / step });
  };
}

function settings(samples, name, span_) {
  const { format } = FIGURES[name];
  const time = i => clock(samples.from_ms + i * samples.step_ms, now());
  const values = samples[name] ?? [];
  const tick = i => span_ === "month" ? day(samples.from_ms + i * samples.step_ms) : time(i);
  const stepSize = name === "lag_seconds" ? STEPS_S.find(step => most(values) / step <= 6) : undefined;
  return {
    type: "line",
    data: { labels: values.map((_, i) => i), datasets: [{ data: values, borderColor: color("--accent"), backgroundColor: color("--accent-soft"), fill: "origin",
      borderWidth: 1.5, pointRadius: alone(values), pointBackgroundColor: color("--accent"), pointHitRadius: 8, spanGaps: false, stepped: false }] },
    options: {
      animation: false, maintainAspectRatio: false, normalized: true, interaction: { mode: "index", intersect: false },
      plugins: { legend: { display: false }, tooltip: { displayColors: false, callbacks: { title: items => time(items[0].dataIndex),
        label: item => `${format(item.parsed.y)}${samples.link[item.dataIndex] === 0 ? ` · ${t("no_link")}` : ""}` } } },
      scales: { x: { type: "linear", min: 0, max: Math.max(1, values.length - 1), afterBuildTicks: roundTimes(samples, span_), ...axis(tick), grid: { display: false } },
        y: { beginAtZero: true, suggestedMax: 1, ...axis(format, { maxTicksLimit: 8, precision: 0, stepSize }) } },
    },
    plugins: [linkBands(samples)],
  };
}

// A value that has no neighbour has no line, either.
const alone = values => values.map((value, i) => value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? 2 : 0);

const most = list => list.reduce((a, b) => b === null ? a : Math.max(a, b), 0);

// The same for those who do not see the picture.
function summary(samples, name) {
  const known = samples.link.filter(link => link !== null);
  const up = known.length ? known.filter(Boolean).length / known.length : 0;
  return known.length ? t("timeline_summary", { up: number(100 * up, 1), most: FIGURES[name].format(most(samples[name] ?? [])) }) : t("no_samples");
}

export class Timeline {
  constructor(id) {
    this.id = id;
    this.span = "hour";
    this.name = "lag_seconds";
    this.samples = null;
    this.canvas = h("canvas", { role: "img", "aria-label": t("timeline") });
    this.note = h("p", { class: "nil note" });
    this.controls = h("div", { class: "controls" });
    this.element = h("section", { class: "timeline", "aria-label": t("timeline") }, h("div", { class: "bar" }, h("h2", null, t("timeline")), this.controls),
      h("div", { class: "canvas" }, this.canvas), this.note);
    this.theme = matchMedia("(prefers-color-scheme: dark)");
    this.onTheme = () => this.draw();
    this.theme.addEventListener("change", this.onTheme);
    addEventListener("hallsync-theme", this.onTheme);
  }

  group(name, list, current, pick) {
    return h("div", { class: "segments", role: "group", "aria-label": t(name) }, list.map(one =>
      h("button", { type: "button", "aria-pressed": String(one === current), onclick: () => pick(one) }, t(`${name}_${one}`))));
  }

  drawControls() {
    render(this.controls, this.group("figure", Object.keys(FIGURES), this.name, name => { this.name = name; this.asked = true; this.draw(); }),
      this.group("span", SPANS, this.span, span => { this.span = span; this.asked = true; this.load(); }));
  }

  async load() {
    clearTimeout(this.timer);
    this.drawControls();
    const span = this.span;
    try {
      const [samples, Chart] = await Promise.all([get("samples", { node: this.id, span }), chartLibrary()]);
      if (this.closed || span !== this.span) return;
      this.samples = samples;
      this.shown = span;
      this.Chart = Chart;
      this.draw();
    } catch (error) {
      if (!this.closed) render(this.note, failure(error));
    }
    if (!this.closed && span === this.span) this.timer = setTimeout(() => this.load(), REFRESH_MS[span]);
  }

  draw() {
    this.drawControls();
    if (!this.samples || this.closed) return;
    this.chart?.destroy();
    this.chart = new this.Chart(this.canvas, settings(this.samples, this.name, this.shown));
    this.note.setAttribute("aria-live", this.asked ? "polite" : "off"); // said to who chose, not each time that it is drawn anew
    this.asked = false;
    render(this.note, summary(this.samples, this.name));
    this.canvas.setAttribute("aria-label", this.note.textContent);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.theme.removeEventListener("change", this.onTheme);
    removeEventListener("hallsync-theme", this.onTheme);
    this.chart?.destroy();
  }
}
