// Profit and latency over time. A curve ends where knowing ended; the axis always runs to now.

import { dollars, micros } from "./format.js";

const HOLE_MS = 20000;
const DAY_MS = 86400000;
const REDRAW_MS = 5000;

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Charts {
  constructor(clock) {
    this.clock = clock;
    this.history = null;
    this.drawnAt = -REDRAW_MS;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(true));
    addEventListener("load", () => this.draw(true));
  }

  hear(history) {
    this.history = history;
    this.draw(true);
  }

  // Lets the axis go on although nothing new has come.
  draw(now = false) {
    const at = performance.now();
    if (!now && at - this.drawnAt < REDRAW_MS) return;
    if (this.history === null || !window.Plotly || this.clock.wall() === null) return;
    this.drawnAt = at;
    this.profit();
    this.latency();
  }

  layout(from, to, last, extra) {
    const [ink, mute, line] = [css("--ink"), css("--mute"), css("--line")];
    const axis = { gridcolor: line, linecolor: line, zeroline: false, tickfont: { color: mute, size: 11 }, automargin: true, fixedrange: true };
    const hole = to - last > HOLE_MS;
    return {
      autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 4, r: 4, t: 6, b: 4 },
      font: { family: css("--font"), color: ink, size: 11 }, showlegend: false, hovermode: "x unified",
      hoverlabel: { bgcolor: css("--panel"), bordercolor: line, font: { color: ink, size: 11 } },
      xaxis: { ...axis, type: "date", range: [iso(from), iso(to)], nticks: 5, showgrid: false, tickformat: to - from < 600000 ? "%H:%M:%S" : "%H:%M" },
      shapes: hole ? [{ type: "rect", xref: "x", yref: "paper", x0: iso(Math.max(last, from)), x1: iso(to), y0: 0, y1: 1, line: { width: 0 }, fillcolor: css("--hole"), layer: "below" }] : [],
      annotations: hole ? [{ xref: "paper", yref: "paper", x: 1, y: 1, xanchor: "right", yanchor: "top", showarrow: false, text: "no data", font: { color: mute, size: 11 } }] : [],
      ...extra(axis),
    };
  }

  profit() {
    const { profit_walls_ms: walls, closings } = this.history;
    const to = this.clock.wall();
    const began = walls.length ? walls[0] : to;
    const before = closings.filter(([ms]) => ms < began && ms > to - DAY_MS);
    const realisedX = [...before.map(([ms]) => ms), ...walls];
    const realisedY = [...before.map(([, e6]) => e6), ...this.history.realised_e6].map(usd);
    const unrealisedY = this.history.unrealised_e6.map(usd);
    const from = Math.min(to - 120000, realisedX.length ? realisedX[0] : to);
    const last = Math.max(0, ...realisedX.filter((_, i) => realisedY[i] !== null));
    const trace = (x, y, name, color, dash, shape) => ({ type: "scatter", mode: "lines", x: x.map(iso), y, name, connectgaps: false,
      line: { color, width: 1.75, dash, shape }, hovertemplate: "%{y:+.2f} USD", text: name });
    Plotly.react("profit-chart", [
      trace(realisedX, realisedY, "realised", css("--ink"), "solid", "hv"),
      trace(walls, unrealisedY, "unrealised", css("--bid"), "dot", "linear"),
    ], this.layout(from, to, last, (axis) => ({
      yaxis: { ...axis, tickformat: "+.2f", nticks: 5, zeroline: true, zerolinecolor: css("--mute"), zerolinewidth: 1 },
      showlegend: true, legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11, color: css("--mute") }, bgcolor: "rgba(0,0,0,0)" } })),
    { displayModeBar: false, responsive: true });
    const said = (list) => { const found = list.filter((v) => v !== null); return found.length ? dollars(found[found.length - 1] * 1e6, { sign: true }) : "unknown"; };
    document.getElementById("profit-chart").setAttribute("aria-label", `Profit over time: realised ends at ${said(realisedY)}, unrealised at ${said(unrealisedY)} USD`);
  }

  latency() {
    const { latency_walls_ms: walls, latency_us: us } = this.history;
    const to = this.clock.wall();
    const from = Math.min(to - 120000, walls.length ? walls[0] : to);
    const last = Math.max(0, ...walls.filter((_, i) => Object.values(us).some((values) => values[i] !== null)));
    const looks = { venue: ["--ink", "solid", "venue"], data: ["--bid", "dot", "data"], loop: ["--ask", "dash", "loop"] };
    Plotly.react("latency-chart", Object.entries(us).map(([name, values]) => ({ type: "scatter", mode: "lines", x: walls.map(iso), y: values.map((v) => (v === null ? null : v / 1000)),
      name: looks[name]?.[2] ?? name, connectgaps: false, line: { color: css(looks[name]?.[0] ?? "--ink"), dash: looks[name]?.[1], width: 1.75 }, hovertemplate: "%{y:.2f} ms" })),
    this.layout(from, to, last, (axis) => ({
      yaxis: { ...axis, type: "log", ticksuffix: " ms", dtick: 1, range: decades(Object.values(us).flat()) }, showlegend: true,
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11, color: css("--mute") }, bgcolor: "rgba(0,0,0,0)" } })),
    { displayModeBar: false, responsive: true });
    const newest = Object.entries(us).map(([name, values]) => `${name} ${values.length ? micros(values[values.length - 1]) : "unknown"}`);
    document.getElementById("latency-chart").setAttribute("aria-label", `95th percentile of latency over time: ${newest.join(", ")}`);
  }
}

// Whole decades around everything shown, in milliseconds.
function decades(all) {
  const known = all.filter((us) => us !== null && us > 0).map((us) => Math.log10(us / 1000));
  return known.length ? [Math.floor(Math.min(...known)), Math.ceil(Math.max(...known) + 0.05)] : [0, 2];
}

function usd(e6) {
  return e6 === null ? null : e6 / 1e6;
}

function iso(ms) {
  return new Date(ms).toISOString().replace("Z", "");
}
