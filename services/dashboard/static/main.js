// Hears the server, draws what it says, and lets everything grow old when it says nothing.

import { Charts } from "./charts.js";
import { Clock } from "./clock.js";
import { drawMarkets } from "./books.js";
import { draw, h } from "./dom.js";
import { clockTime, countdown, span, words } from "./format.js";
import { drawAlerts, drawComponents, drawFeeds, drawLatency, drawMoney, drawPositions, drawSwitches, drawVitals, LIVE_MS } from "./panels.js";

const LOST_MS = 2000;
const GROW_MS = 250;
const AGAIN_MS = 2000;
const SILENT_MS = 6000;

const TO_DO = "to do: look with `interlock status`; `interlock panic` cancels without any other process";

const clock = new Clock();
const charts = new Charts(clock);
let page = null;
let stream = null;
let heardAt = performance.now();

const $ = (id) => document.getElementById(id);
const body = (id) => document.querySelector(`#${id} .body`);

function hear(told) {
  if (page !== null && page.incarnation !== told.incarnation) clock.reset();
  clock.hear(told.at_ms, told.wall_ms);
  page = told;
  document.body.classList.remove("waiting");
  drawVitals($("vitals"), page);
  drawSwitches(body("switches"), page);
  drawMoney(body("money"), page);
  drawPositions(body("positions"), page);
  drawMarkets(body("markets"), page);
  drawFeeds(body("feeds"), page);
  drawComponents(body("components"), page);
  drawAlerts(body("alerts"), page);
  drawLatency(body("latency"), page);
  $("foot").textContent = `${page.profile} profile, ${page.mode}, account ${page.account}.`;
  grow();
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What the page may say now of whether we may trade: no more than what was heard just now.
function verdict(lostMs) {
  const { verdict: v, checks } = page;
  const failed = checks.filter((check) => !check.holds && check.name !== "risk" && check.name !== "execution");
  if (lostMs > LOST_MS) return { kind: "unknown", state: "UNKNOWN: this page is not updated", was: `It said ${v.state} ${span(lostMs)} ago.`, reasons: [TO_DO] };
  const word = v.state.split(/[ :]/)[0];
  const reasons = [...v.reasons];
  const notReady = `Not ready: ${failed.map((check) => `${words(check.name)} ${check.detail}`).join(", ")}.`;
  if (v.active) return { kind: failed.length ? "warn" : "good", state: v.state, was: failed.length ? notReady : page.orders !== null && page.orders.open ? "Orders may pass, and orders rest." : "Orders may pass.", reasons };
  const blind = word === "DOWN" || word === "UNKNOWN";
  if (blind) reasons.push(TO_DO);
  const silent = v.execution_age_ms === null || v.execution_age_ms > LIVE_MS;
  const was = blind || silent ? "What rests at the venue is not known here." : "No order is placed.";
  return { kind: blind ? "unknown" : word === "HALTED" ? "bad" : "warn", state: v.state, was, reasons };
}

const GLYPHS = { good: "●", warn: "▲", bad: "■", unknown: "?" };

function drawVerdict(lostMs) {
  const found = verdict(lostMs);
  $("verdict").className = `verdict ${found.kind}`;
  setText($("glyph"), GLYPHS[found.kind]);
  setText($("headline"), found.state);
  setText($("was"), [found.was, page.verdict.dry_run].filter(Boolean).join(" "));
  draw($("reasons"), found.reasons.length ? h("ul", {}, found.reasons.map((reason) => h("li", {}, reason))) : null);
  document.title = `${GLYPHS[found.kind]} ${found.state.split(":")[0]} · Interlock ${page.profile}`;
  const color = { good: "%230f8a68", warn: "%23b7791f", bad: "%23c0362c", unknown: "%23697280" }[found.kind];
  const shape = { good: "<circle cx='8' cy='8' r='7'/>", warn: "<path d='M8 1 15 15H1z'/>", bad: "<path d='M1 1h14v14H1z'/>", unknown: "<path d='M8 1 15 8 8 15 1 8z'/>" }[found.kind];
  const icon = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='${color}'>${shape}</svg>`;
  if ($("icon").getAttribute("href") !== icon) $("icon").setAttribute("href", icon);
}

function grow() {
  if (page === null) return;
  const now = clock.now();
  const wall = clock.wall();
  const lostMs = Math.max(now - page.at_ms, 0);
  const lost = lostMs > LOST_MS;
  document.body.classList.toggle("lost", lost);
  $("lost").hidden = !lost;
  if (lost) setText($("lost"), `Nothing new for ${span(lostMs)}: the dashboard's server, or the way to it, is gone. Everything below is old.`);
  drawVerdict(lostMs);
  for (const element of document.querySelectorAll("[data-at]")) {
    const old = element.dataset.wall ? wall - Number(element.dataset.wall) : now - Number(element.dataset.at);
    const stale = old > Number(element.dataset.limit);
    setText(element, `${element.dataset.before || ""}${stale ? "stale " : ""}${span(Math.max(0, old))}`);
    element.classList.toggle("stale", stale);
  }
  for (const element of document.querySelectorAll("[data-fresh-at]")) element.classList.toggle("old", now - Number(element.dataset.freshAt) > Number(element.dataset.freshLimit));
  for (const element of document.querySelectorAll("[data-until]")) {
    const left = Number(element.dataset.until) - wall;
    setText(element, left > 0 ? element.dataset.before + countdown(left) : element.dataset.after);
    element.classList.toggle("soon", left > 0 && left < 30000 && element.dataset.before.includes("cutoff"));
  }
  if (lost) charts.draw();
}

function listen() {
  if (stream !== null) stream.close();
  heardAt = performance.now();
  stream = new EventSource("/stream");
  stream.addEventListener("page", (event) => { heardAt = performance.now(); hear(JSON.parse(event.data)); });
  stream.addEventListener("history", (event) => charts.hear(JSON.parse(event.data)));
}

listen();
setInterval(() => { if (stream.readyState === EventSource.CLOSED || performance.now() - heardAt > SILENT_MS) listen(); }, AGAIN_MS);
setInterval(grow, GROW_MS);
document.addEventListener("visibilitychange", grow);
window.interlock = { get page() { return page; }, clock, clockTime };
