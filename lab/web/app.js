"use strict";
// The page shows frames as they come (server-sent events), and sends what its buttons say. No library, nothing stored.

const at = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=nodeway-token]").content;
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 150, LEFT = 34, BOTTOM = 18, TOP = 8;
let states = null;

/** Makes `node` like `wanted`, and touches nothing that is so already: focus, selection and open details stay. */
function become(node, wanted) {
  if (node.nodeName !== wanted.nodeName || node.dataset?.name !== wanted.dataset?.name) {
    node.replaceWith(wanted.cloneNode(true));
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name } of [...node.attributes])
    if (!wanted.hasAttribute(name) && (name !== "open" || node.openedByUs)) node.removeAttribute(name);
  node.openedByUs = wanted.hasAttribute("open");
  for (const { name, value } of wanted.attributes)
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  fill(node, wanted);
}

function fill(node, wanted) {
  const now = [...node.childNodes], then = [...wanted.childNodes];
  then.forEach((child, i) => (now[i] ? become(now[i], child) : node.append(child.cloneNode(true))));
  now.slice(then.length).forEach((child) => child.remove());
}

function show(id, html) {
  const wanted = document.createElement("template");
  wanted.innerHTML = html;
  fill(at(id), wanted.content);
}

/** Says what has changed, once, to who listens in place of looking. */
function speak() {
  const rows = [...document.querySelectorAll("#map tr[data-name]")];
  const now = new Map(rows.map((row) => [row.dataset.name, `${row.dataset.state} ${row.dataset.verdict}`]));
  const news = [...now].filter(([name, state]) => states && states.get(name) !== state);
  if (news.length)
    at("spoken").textContent = news.map(([name, state]) => `${name}: ${state.replaceAll("_", " ")}`).join("; ");
  states = now;
}

function draw(frame) {
  const points = frame.points, last = points.at(-1);
  if (!last) return;
  const WIDTH = Math.max(240, at("chart").clientWidth);
  at("chart").setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  const end = last[0], begin = end - frame.seconds;
  const most = Math.max(10, ...points.map((p) => p[1]));
  const ten = 10 ** Math.floor(Math.log10(most / 2)), step = [1, 2, 5, 10].find((n) => n * ten * 3 > most) * ten;
  const top = step * Math.ceil(most / step);
  const x = (t) => LEFT + ((t - begin) / frame.seconds) * (WIDTH - LEFT - 4);
  const y = (v) => HEIGHT - BOTTOM - (v / top) * (HEIGHT - BOTTOM - TOP);
  const drawn = document.createElementNS(SVG, "svg");
  const add = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    drawn.append(made);
  };
  const errors = points.reduce((sum, p) => sum + p[2], 0);
  const told = `${Math.round(last[1])} acknowledged writes a second`;
  add("title", { id: "chart-title" }, `${told}, over the last ${frame.seconds / 60} minutes`);
  for (let v = 0; v <= top; v += step) {
    add("line", { class: "grid", x1: LEFT, x2: WIDTH, y1: y(v), y2: y(v) });
    add("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, v);
  }
  for (let ago = 0; ago <= frame.seconds; ago += 60)
    add("text", { x: x(end - ago), y: HEIGHT - 4, "text-anchor": ago ? "middle" : "end" }, ago ? `-${ago / 60} min` : "now");
  for (const time of document.querySelectorAll("#events li[data-kind=asked] time")) {
    const when = Date.parse(time.dateTime) / 1000;
    if (when > begin) add("line", { class: "mark", x1: x(when), x2: x(when), y1: TOP, y2: HEIGHT - BOTTOM });
  }
  const line = points.filter((p) => p[0] >= begin).map((p) => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`);
  if (line.length > 1) {
    const [from, to] = [line[0], line.at(-1)].map((one) => one.split(",")[0]);
    add("polygon", { class: "area", points: `${from},${y(0)} ${line.join(" ")} ${to},${y(0)}` });
    add("polyline", { class: "line", points: line.join(" ") });
  }
  for (const [time, , failed] of points)
    if (failed > 0 && time >= begin) add("rect", { class: "errors", x: x(time) - 1.5, y: y(0) - 14, width: 3, height: 14 });
  fill(at("chart"), drawn);
  at("rates").textContent = `${told} · ${Math.round(errors)} errors in the chart`;
}

function link(state, text) {
  const line = at("link");
  if (line.textContent !== text) line.textContent = text;
  line.dataset.state = state;
}

function listen() {
  const source = new EventSource("/live");
  source.onmessage = (message) => {
    const frame = JSON.parse(message.data);
    document.title = frame.title;
    if (frame.map) show("map", frame.map);
    show("controls", frame.controls);
    show("events", frame.events);
    draw(frame);
    speak();
    if (frame.ended) {
      source.close();
      link("lost", `✕ ${frame.ended} What stands here is how it was.`);
    } else link("live", frame.map ? "live" : "waiting for the first walk…");
  };
  source.onerror = () => link("lost", "✕ The page's server does not answer. What stands here is how it was.");
}

async function press(button) {
  const { event, about } = button.dataset;
  const said = at("said");
  try {
    const answer = await fetch("/event", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Nodeway-Token": token },
      body: JSON.stringify({ event, about }),
    });
    said.textContent = await answer.text();
    said.dataset.state = answer.ok ? "asked" : "refused";
  } catch {
    said.textContent = "The page's server does not answer.";
    said.dataset.state = "refused";
  }
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-event]");
  if (button && button.getAttribute("aria-disabled") !== "true") press(button);
});
listen();
