// A small builder and patcher: what is drawn anew keeps focus, selection, scroll and open folds.

export function h(tag, attributes, ...children) {
  return { tag, attributes: attributes || {}, children: children.flat(9).filter((c) => c !== null && c !== undefined && c !== false && c !== "") };
}

// An age that grows by itself; limitMs is when it counts as stale. null was never.
export function age(at, limitMs, { before = "", never = "never" } = {}) {
  if (at === null) return never ? h("span", { class: "age stale" }, never) : null;
  return h("span", { class: "age", "data-at": String(at), "data-limit": String(limitMs), "data-before": before });
}

export function until(wallMs, before, after) {
  return h("span", { class: "until", "data-until": String(wallMs), "data-before": before, "data-after": after });
}

function make(node) {
  if (typeof node !== "object") return document.createTextNode(String(node));
  const element = document.createElement(node.tag);
  apply(element, node);
  return element;
}

const LIVE = new Set(["data-at", "data-until"]);
const OWN = new Set(["open", "style"]);

function apply(element, node) {
  for (const [name, value] of Object.entries(node.attributes)) {
    if (name === "width") element.style.setProperty("--width", value);
    else if (name === "open") { if (!element.dataset.made) element.open = value; }
    else if (element.getAttribute(name) !== value && !(name === "class" && isLive(node))) element.setAttribute(name, value);
    else if (name === "class" && isLive(node) && !element.className) element.className = value;
  }
  element.dataset.made = "1";
  for (const { name } of [...element.attributes]) {
    if (!(name in node.attributes) && !OWN.has(name) && name !== "data-made" && !(name === "class" && isLive(node))) element.removeAttribute(name);
  }
  if (!isLive(node)) children(element, node.children);
}

function isLive(node) {
  return [...LIVE].some((name) => name in node.attributes);
}

function children(element, nodes) {
  nodes.forEach((node, index) => {
    const old = element.childNodes[index];
    if (old === undefined) element.append(make(node));
    else if (typeof node !== "object") {
      if (old.nodeType !== 3) old.replaceWith(make(node));
      else if (old.data !== String(node)) old.data = String(node);
    } else if (old.nodeType === 1 && old.localName === node.tag && old.dataset.key === node.attributes["data-key"]) apply(old, node);
    else old.replaceWith(make(node));
  });
  while (element.childNodes.length > nodes.length) element.lastChild.remove();
}

export function draw(element, ...nodes) {
  children(element, nodes.flat(9).filter((n) => n !== null && n !== undefined && n !== false && n !== ""));
}

export function table(caption, columns, rows) {
  const numeric = columns.map((name) => name.endsWith("#"));
  const title = (name) => name.replace(/#$/, "");
  return h("div", { class: "scroll" }, h("table", {},
    h("caption", { class: "hidden" }, caption),
    h("thead", {}, h("tr", {}, columns.map((name, i) => h("th", { scope: "col", class: numeric[i] ? "n" : "t" }, title(name))))),
    h("tbody", {}, rows.map(({ key, cells, kind = "" }) => h("tr", { "data-key": key, class: kind },
      cells.map((cell, i) => h(i === 0 ? "th" : "td", i === 0 ? { scope: "row", class: numeric[i] ? "n" : "t" } : { class: numeric[i] ? "n" : "t" }, cell)))))));
}

export function mark(kind, text) {
  const glyph = { good: "●", warn: "▲", bad: "■", off: "○" }[kind];
  return h("span", { class: `mark ${kind}` }, h("span", { "aria-hidden": "true" }, glyph), ` ${text}`);
}
