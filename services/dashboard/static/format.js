// Numbers as people read them. null is unknown and says so; nothing here turns it into 0.

export const UNKNOWN = "unknown";
const MINUS = "\u2212";

export function price(e4, tickE4 = 100) {
  if (e4 === null) return UNKNOWN;
  const places = tickE4 % 100 === 0 ? 2 : tickE4 % 10 === 0 ? 3 : 4;
  return (e4 / 10000).toFixed(places);
}

export function shares(e6) {
  if (e6 === null) return UNKNOWN;
  const value = e6 / 1e6;
  const places = Math.abs(value) >= 1000 || Number.isInteger(value) ? 0 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

export function dollars(e6, { sign = false } = {}) {
  if (e6 === null) return UNKNOWN;
  const text = (Math.abs(e6) / 1e6).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  if (text === "0.00") return text;
  return (e6 < 0 ? MINUS : sign ? "+" : "") + text;
}

export function micros(us) {
  if (us === null) return UNKNOWN;
  if (us < 1000) return `${us} µs`;
  if (us < 100000) return `${(us / 1000).toFixed(1)} ms`;
  return us < 1e6 ? `${Math.round(us / 1000)} ms` : `${(us / 1e6).toFixed(1)} s`;
}

// A span of time; quiet, so that a page at rest does not flicker.
export function span(ms) {
  if (ms < 1000) return "<1 s";
  if (ms < 120000) return `${Math.floor(ms / 1000)} s`;
  if (ms < 7200000) return `${Math.floor(ms / 60000)} min`;
  return ms < 172800000 ? `${(ms / 3600000).toFixed(1)} h` : `${Math.floor(ms / 86400000)} d`;
}

export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function clockTime(wallMs, { seconds = true } = {}) {
  return new Date(wallMs).toISOString().slice(11, seconds ? 19 : 16);
}

export function words(name) {
  return name.replaceAll("_", " ");
}

// What a person calls a market of the crypto series; any other by its slug.
export function shortSlug(slug) {
  const found = /^([a-z0-9]+)-updown-(\d+[smh])-(\d+)$/.exec(slug);
  return found ? `${found[1]} ${found[2]} ${clockTime(Number(found[3]) * 1000, { seconds: found[2].endsWith("s") })}` : slug;
}
