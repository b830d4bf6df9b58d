// Markets: time left, both outcome books with our orders drawn in them.

import { clockTime, price, shares, shortSlug, words, UNKNOWN } from "./format.js";
import { age, draw, h, mark, until } from "./dom.js";

const LEVELS = 6;
const VIEW_LIMIT_MS = 1000;
const PROVEN_LIMIT_MS = 5000;
const REFERENCE_LIMIT_MS = 3000;

const PHASES = { running: 0, cutoff: 1, ahead: 2, ended: 3 };

export function drawMarkets(element, page) {
  if (page.markets === null) {
    draw(element, h("p", { class: "empty" }, `Markets are ${UNKNOWN}: discovery was never heard.`));
    return;
  }
  const at = (ms) => (ms === null ? null : page.at_ms - ms);
  const shown = [...page.markets].sort((a, b) => PHASES[a.phase] - PHASES[b.phase] || a.end_wall_ms - b.end_wall_ms);
  const full = shown.filter((m) => m.phase === "running" || m.phase === "cutoff" || (m.phase === "ended" && busy(m)));
  const next = shown.filter((m) => m.phase === "ahead");
  const rest = shown.filter((m) => m.phase === "ended" && !full.includes(m));
  draw(element,
    full.map((market) => card(market, page, at, true)),
    full.length ? null : h("p", { class: "empty", "data-key": "none" }, "No market runs now."),
    next.map((market) => card(market, page, at, busy(market))),
    rest.length ? h("p", { class: "quiet", "data-key": "rest" }, `${rest.length} ended, without shares of ours: `, rest.slice(-4).map((m) => `${shortSlug(m.slug)}${m.winner ? ` (${m.winner})` : ""}`).join(", ")) : null);
}

function busy(market) {
  return market.books.some((book) => book.orders.length || book.held_e6);
}

function card(market, page, at, open) {
  const state = market.halted ? mark("bad", "halted by execution") : market.phase === "ended" ? mark("off", "ended")
    : market.valid ? mark("good", "vouched for") : mark("warn", "not vouched for");
  const left = market.phase === "ahead" ? until(market.start_wall_ms, "starts in ", "starting")
    : market.phase === "running" ? until(market.cutoff_wall_ms, "cutoff in ", "past cutoff")
    : market.phase === "cutoff" ? until(market.end_wall_ms, "past cutoff, ends in ", "ended")
    : `ended ${clockTime(market.end_wall_ms)}${market.winner ? `, ${market.winner} won` : ", no result yet"}`;
  return h("details", { class: `card fresh ${market.valid ? "" : "invalid"}`, "data-key": market.id, open: open ? "open" : "", "data-fresh-at": String(at(market.age_ms) ?? -1e15), "data-fresh-limit": String(VIEW_LIMIT_MS) },
    h("summary", {}, h("span", { class: "asset" }, market.asset.toUpperCase()), h("span", { class: "left" }, left), state,
      h("span", { class: "grow" }), h("span", { class: "quiet" }, `${clockTime(market.start_wall_ms, { seconds: page.markets.length > 0 && market.end_wall_ms - market.start_wall_ms < 120000 })}–${clockTime(market.end_wall_ms, { seconds: market.end_wall_ms - market.start_wall_ms < 120000 })} UTC`), age(at(market.age_ms), VIEW_LIMIT_MS)),
    market.reason || market.halted ? h("p", { class: "why" }, [market.halted, market.reason].filter(Boolean).join("; ")) : null,
    h("dl", { class: "facts" },
      fact("strike", market.strike ?? UNKNOWN),
      fact(market.reference_source ? words(market.reference_source) : "reference", market.reference === null ? UNKNOWN : [market.reference, " ", age(at(market.reference_age_ms), REFERENCE_LIMIT_MS)]),
      fact("books proven", age(at(market.proven_age_ms), PROVEN_LIMIT_MS)),
      fact("market", h("span", { class: "id" }, market.slug))),
    h("div", { class: "books" }, market.books.map((book) => ladder(book, market, page))));
}

function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

// Something that execution has told: it grows old by itself, whatever the book does.
function told(part, page, limitMs, node) {
  return part === null ? node : h("span", { class: "fresh", "data-fresh-at": String(page.at_ms - part.age_ms), "data-fresh-limit": String(limitMs) }, node);
}

function ladder(book, market, page) {
  const held = book.held_e6 === null ? `holding ${UNKNOWN}` : book.held_e6 ? `holding ${shares(book.held_e6)}` : "";
  const head = h("div", { class: "outcome" }, h("strong", {}, book.outcome), told(page.positions, page, 3000, h("span", { class: "quiet" }, held)));
  if (book.bids === null || book.asks === null) {
    return h("div", { class: "book" }, head, h("p", { class: "empty" }, `Book ${UNKNOWN}.`, own(book).length ? ` ${own(book).length} orders of ours: ${own(book).map((o) => `${o.side} ${shares(o.leaves_e6)} at ${price(o.price_e4, market.tick_e4)}`).join(", ")}.` : ""));
  }
  const largest = Math.max(1, ...[...book.bids.slice(0, LEVELS), ...book.asks.slice(0, LEVELS)].map(([, size]) => size));
  const asks = side(book.asks, own(book).filter((o) => o.side === "SELL"), (a, b) => a - b);
  const bids = side(book.bids, own(book).filter((o) => o.side === "BUY"), (a, b) => b - a);
  const [bid, ask] = [book.bids[0]?.[0], book.asks[0]?.[0]];
  const middle = bid !== undefined && ask !== undefined ? `spread ${price(ask - bid, market.tick_e4)}` : bid === undefined && ask === undefined ? "empty on both sides" : bid === undefined ? "no bids" : "no asks";
  return h("div", { class: "book" }, head, h("table", { class: "ladder" },
    h("caption", { class: "hidden" }, `${book.outcome}: asks above, bids below, best in the middle`),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "ours"), h("th", { scope: "col" }, "price"), h("th", { scope: "col" }, "size"))),
    h("tbody", {}, pad(asks.reverse(), true).map((row) => level(row, "ask", largest, market, page))),
    h("tbody", {}, h("tr", { class: "middle" }, h("td", { colspan: "3" }, middle))),
    h("tbody", {}, pad(bids, false).map((row) => level(row, "bid", largest, market, page)))));
}

function own(book) {
  return book.orders.filter((o) => o.leaves_e6 > 0);
}

// The best levels, and below them whatever of ours rests farther out.
function side(levels, orders, order) {
  const rows = new Map(levels.slice(0, LEVELS).map(([e4, size]) => [e4, { e4, size, orders: [] }]));
  const known = new Map(levels);
  for (const one of orders) {
    if (!rows.has(one.price_e4)) rows.set(one.price_e4, { e4: one.price_e4, size: known.get(one.price_e4) ?? null, orders: [] });
    rows.get(one.price_e4).orders.push(one);
  }
  return [...rows.values()].sort((a, b) => order(a.e4, b.e4));
}

function pad(rows, before) {
  const missing = Array.from({ length: Math.max(0, LEVELS - rows.length) }, () => null);
  return before ? [...missing, ...rows] : [...rows, ...missing];
}

function level(row, kind, largest, market, page) {
  if (row === null) return h("tr", { class: "blank" }, h("td", { colspan: "3" }, "\u00a0"));
  const ours = row.orders.reduce((sum, o) => sum + o.leaves_e6, 0);
  const sure = row.orders.every((o) => o.state === "LIVE" || o.state === "PARTLY_FILLED");
  const chip = row.orders.length ? h("span", { class: sure ? "chip" : "chip unsure", title: row.orders.map((o) => `${o.strategy} ${o.side} ${o.state}`).join(", ") }, `${sure ? "" : "? "}${shares(ours)}`) : "";
  const width = row.size === null ? "0%" : `${Math.max(2, Math.min(100, Math.round((100 * row.size) / largest)))}%`;
  return h("tr", { class: `${kind}${row.orders.length ? " ours" : ""}` },
    h("td", { class: "n own" }, chip && told(page.orders, page, VIEW_LIMIT_MS, chip)), h("td", { class: "n price" }, price(row.e4, market.tick_e4)),
    h("td", { class: "n size" }, h("span", { class: "bar", width }), h("span", { class: "value" }, row.size === null ? "–" : shares(row.size))));
}
