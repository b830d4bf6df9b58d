// Everything on the page but the books: one function a panel, plain data in, elements patched.

import { clockTime, dollars, micros, shares, shortSlug, words, UNKNOWN } from "./format.js";
import { age, draw, h, mark, table } from "./dom.js";

export const LIVE_MS = 1000;
const PONG_LIMIT_MS = 1000;
const POSITIONS_LIMIT_MS = 3000;
const LEDGER_LIMIT_MS = 10000;
const RECONCILED_LIMIT_MS = 15000;
const BEAT_LIMIT_MS = 7000;
const CUTOFF = "market_cutoff";

const unknown = (what) => h("p", { class: "empty" }, `${what} ${UNKNOWN}.`);

export function drawVitals(element, page) {
  const at = (ms) => (ms === null ? null : page.at_ms - ms);
  const { verdict: v, orders } = page;
  const item = (name, ...value) => h("div", { "data-key": name }, h("dt", {}, name), h("dd", {}, value));
  const told = (ageMs, ...value) => ageMs === null ? UNKNOWN : h("span", { class: "fresh", "data-fresh-at": String(at(ageMs)), "data-fresh-limit": String(LIVE_MS) }, value);
  draw(element,
    item("open orders", orders === null ? UNKNOWN : told(orders.age_ms, h("b", {}, String(orders.open)), orders.in_flight ? `, ${orders.in_flight} in flight` : "", orders.unknown ? h("strong", {}, `, ${orders.unknown} unknown`) : "")),
    item("reconciled", orders === null ? UNKNOWN : age(at(orders.reconciled_age_ms), RECONCILED_LIMIT_MS)),
    item("risk heard", age(v.risk_age_ms === null ? null : at(v.risk_age_ms), LIVE_MS)),
    item("execution heard", age(v.execution_age_ms === null ? null : at(v.execution_age_ms), LIVE_MS)),
    item("lease", told(v.execution_age_ms, v.lease_ms === null ? "none" : v.lease_ms > 0 ? `${v.lease_ms} ms left` : "over")),
    item("venue dead-man fed", age(v.beat_age_ms === null ? null : at(v.beat_age_ms), BEAT_LIMIT_MS)),
    item("fence", told(v.risk_age_ms, v.fence, v.fence_reason && v.fence !== "none" ? h("span", { class: "quiet", title: v.fence_reason }, ` ${v.fence_reason}`) : "")),
    item("epoch", told(v.risk_age_ms, String(v.epoch))));
}

export function drawSwitches(element, page) {
  if (page.switches === null) { draw(element, unknown("What is tripped is")); return; }
  const at = page.at_ms - page.components_age_ms;
  const rows = page.switches.filter((row) => row.name !== CUTOFF);
  const cutoffs = page.switches.length - rows.length;
  draw(element,
    rows.length ? h("div", { class: "tripped", "data-key": "tripped" }, rows.map((row) => h("article", { class: `switch ${row.kind}`, "data-key": `${row.name} ${row.scope} ${row.evidence}` },
      h("h3", {}, mark(row.kind === "latch" ? "bad" : "warn", words(row.name)), " ", h("span", { class: "quiet" }, row.market || row.scope), " ", h("span", { class: "tag" }, `${row.kind}${row.state ? `, ${row.state}` : ""}`), h("span", { class: "grow" }), h("span", { class: "quiet" }, "since ", h("time", { title: new Date(row.since_wall_ms).toISOString() }, `${clockTime(row.since_wall_ms)} UTC`), ", ", h("span", { class: "age", "data-wall": String(row.since_wall_ms), "data-at": "0", "data-limit": "1e18" }))),
      h("p", {}, row.reason || row.trigger, row.evidence ? h("span", { class: "evidence" }, row.evidence) : ""),
      h("p", { class: "todo" }, row.command ? [h("b", {}, "To do: "), `find out why${row.resumes.replace(/^operator/, "")}, then `, h("kbd", {}, row.command)] : [h("b", {}, "Ends by itself: "), row.resumes || "when its condition has held off"], h("span", { class: "quiet" }, ` Runbook: ${row.runbook}`))))) : h("p", { class: "calm", "data-key": "calm" }, mark("good", "nothing is tripped"), " ", age(at, LIVE_MS)),
    cutoffs ? h("p", { class: "quiet", "data-key": "cutoffs" }, `${cutoffs} ${cutoffs === 1 ? "market is" : "markets are"} past cutoff, as every market comes to be.`) : null,
    h("p", { class: "quiet", "data-key": "clear", title: page.switches_clear.map(words).join(", ") }, `${page.switches_clear.length} others are watched and clear.`));
}

export function drawMoney(element, page) {
  const p = page.profit;
  const at = p.age_ms === null ? null : page.at_ms - p.age_ms;
  const positionsAt = page.positions === null ? null : page.at_ms - page.positions.age_ms;
  const figure = (name, value, note, stamp, limit) => h("div", { class: "figure fresh", "data-key": name, "data-fresh-at": String(stamp ?? -1e15), "data-fresh-limit": String(limit) },
    h("span", { class: "name" }, name), h("span", { class: `money ${value === null ? "unknown" : ""}` }, dollars(value, { sign: true })), h("span", { class: "quiet" }, note, " ", age(stamp, limit, { never: "" })));
  const unpriced = p.unpriced_cost_e6 ? `without ${p.unpriced_markets} unpriced, cost ${dollars(p.unpriced_cost_e6)}` : "at the bid";
  draw(element,
    p.problem ? h("p", { class: "why" }, p.problem) : null,
    h("div", { class: "figures" },
      figure("realised today", p.realised_today_e6, "since 00:00", at, LEDGER_LIMIT_MS),
      figure("realised", p.realised_e6, p.markets_closed === null ? "" : `${p.markets_closed} markets, ${p.fills} fills`, at, LEDGER_LIMIT_MS),
      figure("unrealised", p.unrealised_e6, unpriced, positionsAt, POSITIONS_LIMIT_MS)),
    p.today ? h("p", { class: p.today.percent >= 80 || !p.today.agrees ? "why" : "quiet", "data-key": "today" },
      `lost today ${dollars(Math.max(0, p.today.lost_e6))} of ${dollars(p.today.limit_e6)} (${p.today.percent} %), with open positions ${dollars(Math.max(0, p.today.session_lost_e6))} of ${dollars(p.today.session_limit_e6)}; by the ledger ${dollars(p.today.ledger_e6, { sign: true })}, by the venue's stream ${dollars(p.today.stream_e6, { sign: true })}${p.today.agrees ? "" : ": they differ"}; capital ${p.today.capital_usd} USD `,
      age(page.at_ms - p.today.age_ms, LIVE_MS)) : null,
    p.is_cut ? h("p", { class: "quiet" }, "Only the newest rows of the ledger are counted.") : null);
}

export function drawPositions(element, page) {
  if (page.positions === null) { draw(element, unknown("Positions are")); return; }
  const at = page.at_ms - page.positions.age_ms;
  const rows = page.positions.rows;
  draw(element, h("p", { class: "told" }, rows.length ? `${rows.length} held` : "nothing is held", " ", age(at, POSITIONS_LIMIT_MS)),
    rows.length ? h("div", { class: "fresh", "data-fresh-at": String(at), "data-fresh-limit": String(POSITIONS_LIMIT_MS) }, table("Positions", ["market", "", "shares#", "sure#", "cost#", "at bid#"],
      rows.map((row) => ({ key: `${row.market} ${row.outcome} ${row.strategy}`, cells: [
        h("span", { class: "id", title: `${row.slug}, ${row.strategy}` }, shortSlug(row.slug)), row.outcome, shares(row.matched_e6), shares(row.confirmed_e6), dollars(row.cost_e6),
        row.bid_e4 === null ? UNKNOWN : dollars(Math.floor((row.matched_e6 * row.bid_e4) / 10000))] })))) : null);
}

export function drawComponents(element, page) {
  if (page.components === null) { draw(element, unknown("Components are")); return; }
  const told = page.at_ms - page.components_age_ms;
  const rows = [...page.components];
  const place = rows.findIndex((row) => row.name === "execution") + 1;
  const cells = rows.map((row) => ({ key: row.name, cells: [words(row.name),
    mark(row.alive ? (row.state === "ready" ? "good" : "warn") : "bad", row.alive ? row.state : row.state === "absent" ? "absent" : `dead: ${row.state}`),
    row.pong_age_ms === null ? "" : age(page.at_ms - row.pong_age_ms, PONG_LIMIT_MS), row.alive ? micros(row.lag_us) : "", row.restarts ? String(row.restarts) : "0", row.pid ? String(row.pid) : ""] }));
  cells.splice(place, 0, { key: "risk", cells: ["risk", mark("good", "speaks"), age(told, LIVE_MS), "", "", ""] });
  const reasons = rows.filter((row) => row.reason);
  draw(element, h("div", { class: "fresh", "data-fresh-at": String(told), "data-fresh-limit": String(LIVE_MS) },
    table("Components as risk sees them", ["process", "state", "answered", "lag#", "restarts#", "pid#"], cells)),
    reasons.map((row) => h("p", { class: "why", "data-key": row.name }, `${words(row.name)}: ${row.reason}`)),
    page.strategies.length ? h("p", { class: "told", "data-key": "strategies" }, page.strategies.map((s) => h("span", { class: "strategy" }, h("b", {}, words(s.name)), ` ${s.state}${s.reason ? `: ${s.reason}` : ""} `, age(page.at_ms - s.age_ms, 3000)))) : null);
}

export function drawFeeds(element, page) {
  draw(element, table("Feeds", ["feed", "state", "heard", "evidence", "oldest"], page.feeds.map((row) => ({ key: row.name, cells: [
    words(row.name.replace("feed_", "")),
    row.age_ms === null ? mark("bad", "not heard") : h("span", { class: "fresh", "data-fresh-at": String(page.at_ms - row.age_ms), "data-fresh-limit": String(LIVE_MS) }, row.connected ? mark("good", "connected") : mark("bad", row.cause || "disconnected")),
    row.age_ms === null ? "" : age(page.at_ms - row.age_ms, LIVE_MS),
    row.age_ms === null ? "" : age(row.newest_ms === null ? null : page.at_ms - row.newest_ms, row.limit_ms),
    row.age_ms === null ? "" : age(row.oldest_ms === null ? null : page.at_ms - row.oldest_ms, row.limit_ms, { never: "not all" })] }))),
    h("p", { class: "told" }, page.feeds.filter((row) => row.reconnects || row.rejected_frames).map((row) => h("span", { class: "strategy" }, `${words(row.name.replace("feed_", ""))}: `, [row.reconnects ? `${row.reconnects} reconnects` : "", row.rejected_frames ? `${row.rejected_frames} frames not understood` : ""].filter(Boolean).join(", ")))),
    drawRecovery(page),
    drawData(page));
}

function drawRecovery(page) {
  const r = page.recovery;
  if (!r) return null;
  const late = r.whole_ms !== null && r.whole_ms > r.limit_ms;
  const waiting = r.steps.filter((step) => step.after_ms === null);
  const state = waiting.length ? mark("bad", `waits for ${waiting[0].name}`) : mark(late ? "warn" : "good", `traded ${(r.whole_ms / 1000).toFixed(1)} s after the connection`);
  return h("p", { class: "told", "data-key": "recovery" }, "Recovery after ", `${words(r.cause)} at `, h("time", {}, clockTime(Math.floor(r.began_wall_ns / 1e6))), ": ", state, " ",
    r.steps.map((step) => step.after_ms === null ? "" : `${step.name} ${(step.after_ms / 1000).toFixed(1)} s`).filter(Boolean).join(", "),
    r.moved.length ? mark("warn", r.moved.join("; ")) : "");
}

function drawData(page) {
  const d = page.data;
  if (d === null) return h("p", { class: "empty", "data-key": "data" }, `Whether the data is right is ${UNKNOWN}.`);
  const told = page.at_ms - d.age_ms;
  return h("div", { class: "fresh", "data-key": "data", "data-fresh-at": String(told), "data-fresh-limit": String(LIVE_MS) },
    h("p", { class: "told" }, d.doubts.length ? mark(d.doubts.some((row) => row.blocks) ? "bad" : "warn", "data in doubt") : mark("good", "nothing wrong with the data"), ` ${d.streams} streams, ${d.refused} values refused, ${d.suspect} flagged `, age(told, LIVE_MS)),
    d.doubts.map((row) => h("p", { class: "why", "data-key": `${row.stream} ${row.check}` }, `${words(row.stream)}: ${row.check}, ${row.verdict}, ${row.value}; limit ${row.limit}${row.second ? `; ${row.second}` : ""}; ${row.count} times since `, age(page.at_ms - row.lasts_ms, Infinity), ", last ", age(page.at_ms - row.seen_ms, Infinity))));
}

export function drawAlerts(element, page) {
  const kind = { info: "off", warning: "warn", critical: "bad" };
  const refused = page.refusals;
  draw(element,
    page.alerts.length ? page.alerts.slice(0, 8).map((row) => h("article", { class: "alert", "data-key": `${row.component} ${row.name}` },
      h("p", {}, mark(kind[row.severity], row.name), row.count > 1 ? h("span", { class: "tag" }, `${row.count}×`) : "", h("span", { class: "grow" }), h("span", { class: "quiet" }, `${row.component}, ${clockTime(row.wall_ms)}, `, age(page.at_ms - row.age_ms, 1e15), " ago")),
      h("p", { class: "quiet" }, row.text)))
      : h("p", { class: "told", "data-key": "none" }, "No alert was heard in the ", h("span", { class: "age", "data-at": String(page.at_ms - page.heard_since_ms), "data-limit": "1e18" }), " that this page's server has listened."),
    h("h3", { class: "sub", "data-key": "refused" }, "Denied by the gate in this run", refused !== null && !refused.rows.length ? ": none" : "", " ", refused === null ? "" : age(page.at_ms - refused.age_ms, LIVE_MS)),
    refused === null ? unknown("Denials are") : [
      h("ul", { class: "counts fresh", "data-key": "counts", "data-fresh-at": String(page.at_ms - refused.age_ms), "data-fresh-limit": String(LIVE_MS) }, refused.rows.map(([reason, count]) => h("li", { "data-key": reason }, h("span", {}, words(reason)), h("b", {}, count.toLocaleString("en-US")))))],
    page.transitions.length ? h("h3", { class: "sub", "data-key": "changes" }, "What has changed") : null,
    page.transitions.slice(0, 6).map((row, index) => h("p", { class: "change", "data-key": `change${index}` }, h("time", {}, clockTime(row.wall_ms)), " ", h("b", {}, words(row.what)), row.before || row.after ? ` ${row.before} → ${row.after}` : "", h("span", { class: "quiet" }, ` ${row.cause}${row.actor && row.actor !== "risk" ? ` (${row.actor})` : ""}`))));
}

export function drawLatency(element, page) {
  const titles = { venue: "venue answers a post", data: "newest market data", loop: "longest loop turn" };
  draw(element, table("Latency over the last minute", ["last minute", "median#", "p95#", "max#", "newest"], page.latency.map((row) => ({ key: row.name, cells: [
    h("span", { title: `${row.meaning}; ${row.count} samples` }, titles[row.name] || row.name),
    row.count ? micros(row.median_us) : UNKNOWN, row.count ? micros(row.p95_us) : "", row.count ? micros(row.max_us) : "",
    row.age_ms === null ? "" : age(page.at_ms - row.age_ms, row.name === "venue" ? 60000 : LIVE_MS)] }))));
}
