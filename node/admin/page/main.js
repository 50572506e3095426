// The frame: who is logged in, where we are, whether what is shown is live; and the keyboard.
import { get, logout, onLoggedOut, session } from "./api.js";
import { audit } from "./audit.js";
import { booksOfDay } from "./books.js";
import { conflicts } from "./conflicts.js";
import { h, render } from "./dom.js";
import { clock, number, setOffset, zone } from "./format.js";
import { hall } from "./hall.js";
import { loginScreen } from "./login.js";
import { shape } from "./marks.js";
import { overview } from "./overview.js";
import { parked } from "./parked.js";
import { failure } from "./parts.js";
import { registry } from "./registry.js";
import { connect, forget, isHall, listen, load, now, state } from "./state.js";
import { language, setLanguage, t } from "./text.js";
import { overdue } from "./tickets.js";

const SCREENS = { __proto__: null, "": overview, hall, conflicts, parked, books: booksOfDay, tickets: overdue, registry, audit };

const skip = h("a", { href: "#main", class: "skip" });
const header = h("header", { class: "frame" });
const banner = h("div", { class: "banner", role: "alert" });
const main = h("main", { id: "main", tabindex: "-1" });
const footer = h("footer");
const speech = h("div", { class: "hidden", "aria-live": "polite" });
const help = h("dialog", { class: "help", "aria-labelledby": "help-title" });

let screen = null;

// ---- header ----

const THEMES = ["auto", "light", "dark"];
const remembered = name => localStorage.getItem(`hallsync.${name}`);

function setTheme(theme) {
  localStorage.setItem("hallsync.theme", theme);
  document.documentElement.dataset.theme = theme;
  dispatchEvent(new Event("hallsync-theme"));
}

function nextTheme() {
  setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]);
  drawHeader();
}

function switchLanguage() {
  setLanguage(language() === "en" ? "zh" : "en");
  drawFrame();
  route();
}

function link(path, text, count) {
  const [here] = location.hash.slice(2).split("/");
  const current = here === path || (path === "" && (here === "hall" || !(here in SCREENS)));
  return h("li", null, h("a", { href: `#/${path}`, "aria-current": current ? "page" : null }, text,
    count ? h("span", { class: "badge" }, number(count)) : null));
}

function links() {
  const node = state.node;
  const list = [link("", t(isHall() ? "hubs" : "overview")), link("conflicts", t("conflicts"), (node.conflicts ?? 0) + (node.overpayments ?? 0)), link("parked", t("parked"), node.parked),
    link("books", t("books_short"), node.books?.differ), link("tickets", t("tickets"), node.overdue_tickets)];
  if (!isHall()) list.push(link("registry", t("registry")));
  list.push(link("audit", t("audit")));
  return list;
}

async function leave() {
  try {
    await logout();
  } catch {
    // what cannot be ended there is forgotten here; it ends by itself
  }
  history.replaceState(null, "", "#/"); // who comes next begins where everybody does
  enterLogin();
}

function drawHeader() {
  const logged = state.session;
  const theme = document.documentElement.dataset.theme;
  render(header, h("a", { href: "#/", class: "brand" }, "hallsync", logged ? h("b", null, logged.node.node_id) : null),
    logged ? h("nav", { "aria-label": t("screens") }, h("ul", null, links())) : h("span", { class: "nav" }),
    h("div", { class: "me" },
      logged ? h("a", { href: `#/hall/${encodeURIComponent(logged.node.node_id)}`, class: `live ${state.live ? "on" : "off"}`, title: t("this_node") },
        shape(state.live ? "well" : "trouble"), h("span", null, state.live ? t("live") : t("not_live"))) : null,
      h("button", { type: "button", class: "plain", id: "language", lang: language() === "en" ? "zh" : "en", onclick: switchLanguage }, language() === "en" ? "中文" : "English"),
      h("button", { type: "button", class: "plain", id: "theme", onclick: nextTheme, "aria-label": `${t("theme")}: ${t(`theme_${theme}`)}` }, t(`theme_${theme}`)),
      h("button", { type: "button", class: "plain", "aria-keyshortcuts": "?", "aria-label": t("keys"), onclick: showHelp }, "?"),
      logged ? h("span", { class: "user" }, `${logged.user} · ${t(`role_${logged.role}`)}`) : null,
      logged ? h("button", { type: "button", class: "plain", id: "logout", onclick: leave }, t("log_out")) : null));
}

let brokeAt = 0;

function drawBanner() {
  const stale = state.session && !state.live && state.nowMs;
  if (stale && !brokeAt) brokeAt = state.asOfMs;
  if (!stale) brokeAt = 0;
  document.body.classList.toggle("stale", Boolean(stale));
  render(banner, stale ? h("p", null, shape("trouble"), " ", t("not_live_since", { time: clock(brokeAt, now(), true) })) : null);
  render(footer, state.session ? h("p", null, `${t(`role_${state.session.node.role}`)} ${state.session.node.node_id} · ${state.session.node.region} · hallsync ${state.session.node.version} · ${t("times_in", { zone: zone() })}`) : null);
}

function drawFrame() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  render(skip, t("to_content"));
  drawHeader();
  drawBanner();
}

// ---- screens ----

function show(make, ...parts) {
  screen?.close();
  main.replaceChildren();
  screen = make(main, ...parts);
  main.dataset.screen = make.name;
  document.title = `${screen.title} · hallsync${state.session ? ` ${state.session.node.node_id}` : ""}`;
}

function route() {
  if (!state.session) {
    show(loginScreen, entered, anyUser);
    return;
  }
  const [name, ...parts] = location.hash.replace(/^#\/?/, "").split("/").map(part => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part; // a stray per cent sign
    }
  });
  show(SCREENS[name] ?? overview, ...(SCREENS[name] ? parts : []));
  drawHeader();
  scrollTo(0, name === "" ? overviewAt : 0);
  if (document.activeElement === document.body) (screen.begin?.() ?? main).focus({ preventScroll: true }); // what had the focus is gone
}

let overviewAt = 0;

let anyUser = true;

function enterLogin(any = true) {
  anyUser = any;
  forget();
  drawFrame();
  route();
}

async function entered(session_) {
  state.session = session_;
  setOffset(session_.utc_offset_minutes);
  [state.model] = await Promise.all([get("model")]);
  await load();
  connect();
  drawFrame();
  route();
}

// ---- keyboard ----

function showHelp() {
  const keys = [["/", "key_search"], ["↑ ↓", "key_move"], ["Enter", "key_open"], ["Esc", "key_back"], ["Home End", "key_ends"], ["?", "key_help"]];
  render(help, h("h2", { id: "help-title" }, t("keys")), h("dl", null, keys.map(([key, text]) => h("div", null, h("dt", null, h("kbd", null, key)), h("dd", null, t(text))))),
    h("form", { method: "dialog" }, h("button", { type: "submit" }, t("close"))));
  if (!help.open) help.showModal();
}

const typing = element => element.matches("input:not([type=radio]), textarea, select");

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open || !state.session) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    if (!document.getElementById("search")) location.hash = "#/";
    setTimeout(() => document.getElementById("search")?.focus());
  } else if (event.key === "?") {
    showHelp();
  } else if (event.key === "Escape" && location.hash.length > 2) {
    location.hash = screen?.back ?? "#/";
  } else if (!screen?.key?.(event)) {
    return;
  }
  event.preventDefault();
}

// ---- begin ----

const GRAVE = ["away", "trouble"];

// To those who do not see: alarms, and who has come into trouble or out of it; not what comes and goes by itself.
function say(what) {
  if (what?.alarm) render(speech, what.alarm[`text_${language()}`] ?? "");
  if (what !== "status") return;
  const news = state.recent.filter(one => one.time_ms >= state.nowMs && (GRAVE.includes(one.level) || GRAVE.includes(one.was)));
  if (news.length) render(speech, news.length > 1 ? t("changed_n", { n: number(news.length) }) : `${news[0].node_id}: ${t(`level_${news[0].level}`)}`);
}

function onState(what) {
  if (what === "bye") return enterLogin();
  say(what);
  drawHeader();
  return drawBanner();
}

async function begin() {
  document.documentElement.dataset.theme = THEMES.includes(remembered("theme")) ? remembered("theme") : "auto";
  document.body.replaceChildren(skip, header, banner, main, footer, speech, help);
  skip.onclick = event => { event.preventDefault(); main.focus(); };
  drawFrame();
  onLoggedOut(() => enterLogin());
  listen(onState);
  addEventListener("hashchange", route);
  addEventListener("scroll", () => { if (main.dataset.screen === "overview") overviewAt = scrollY; }, { passive: true });
  addEventListener("keydown", onKey);
  try {
    const known = await session();
    if (known.user) await entered(known);
    else enterLogin(known.any_user);
  } catch (error) {
    if (error.status === 401) enterLogin();
    else render(main, failure(error), h("button", { type: "button", onclick: () => location.reload() }, t("again")));
  }
}

begin();
