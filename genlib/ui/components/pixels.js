// Replays images pixel by pixel and says what was predicted under the mouse. No traffic, except
// where the mouse rests with "Receptive field" on: then the server computes it.
const REST_MS = 150;
const sheets = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let s = sheets.get(parentElement);
  if (!s) {
    s = build(parentElement.querySelector(".pixels"));
    sheets.set(parentElement, s);
  }
  s.emit = (value) => setStateValue("rest", value); // always the newest: older ones are dead
  const d = unpack(data), fresh = d.name !== s.d?.name;
  s.d = d;
  [, s.height, s.width] = d.shape;
  s.total = s.height * s.width;
  if (fresh) begin(s);
  show(s);
  return () => { halt(s); clearTimeout(s.timer); };
}

const HTML = `
  <div class="left">
    <canvas class="main" role="img" aria-label="The image, enlarged" tabindex="0"></canvas>
    <div class="legend"><span class="low"></span><i></i><span class="high"></span>
      <span class="what"></span></div>
  </div>
  <div class="right">
    <div class="row replay">
      <button type="button" class="play">Play</button>
      <input class="scrub" type="range" min="0" step="1" aria-label="Pixels drawn">
    </div>
    <div class="row replay"><select class="speed" aria-label="Speed">
      <option value="15">15 pixels a second</option><option value="60">60 pixels a second</option>
      <option value="250" selected>250 pixels a second</option>
      <option value="1000">1000 pixels a second</option></select><output></output></div>
    <div class="row"><div class="looks" role="group" aria-label="What to show"></div>
      <label class="fielded" title="Colours what the prediction of the pixel under the mouse looks at"
        ><input type="checkbox" class="field"> Receptive field</label></div>
    <div class="readout" aria-live="off"></div>
  </div>
  <div class="samples"><canvas class="grid" role="img" aria-label="All images"
    title="Click one to enlarge it"></canvas></div>`;

function build(root) {
  root.innerHTML = HTML;
  const s = { root, get: (selector) => root.querySelector(selector), at: 0, frame: 0, sample: 0,
    look: "", place: null, pinned: false, asked: "" };
  for (const [key, look] of Object.entries(LOOKS)) {
    const button = s.get(".looks").appendChild(document.createElement("button"));
    button.type = "button";
    [button.textContent, button.dataset.look] = [look.name, key];
    button.onclick = () => { s.look = key; show(s); };
  }
  s.get(".play").onclick = () => (s.frame ? pause(s) : play(s));
  s.get(".scrub").oninput = (e) => { s.at = Number(e.target.value); pause(s); };
  s.get(".field").onchange = () => { rest(s); show(s); };
  s.get(".grid").onclick = (e) => pickSample(s, e);
  const main = s.get(".main");
  main.onpointermove = (e) => { if (!s.pinned) moveTo(s, where(s, e)); };
  main.onpointerleave = () => { if (!s.pinned) moveTo(s, null); };
  main.onclick = (e) => pin(s, where(s, e));
  main.onkeydown = (e) => step(s, e);
  return s;
}

// New images: replayed from what was given, unless nothing is to move on this screen.
function begin(s) {
  halt(s);
  const d = s.d, still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  s.look ||= d.view;
  s.sample = Math.min(s.sample, d.shape[0] - 1);
  s.at = d.replay && !still ? d.known : s.total;
  s.asked = "";
  s.get(".scrub").min = d.known;
  s.get(".scrub").max = s.total;
  for (const part of s.root.querySelectorAll(".replay")) part.hidden = !d.replay;
  s.get(".samples").hidden = d.shape[0] < 2;
  if (d.replay && !still) play(s);
  rest(s);
}

function play(s) {
  if (s.at >= s.total) s.at = s.d.known;
  let before = performance.now(), exact = s.at;
  const tick = (now) => {
    exact += (Math.max(0, now - before) / 1000) * Number(s.get(".speed").value);
    before = now;
    s.at = Math.min(s.total, Math.floor(exact));
    s.frame = s.at < s.total ? requestAnimationFrame(tick) : 0;
    show(s);
  };
  s.frame = requestAnimationFrame(tick);
  show(s);
}

function halt(s) {
  cancelAnimationFrame(s.frame);
  s.frame = 0;
}

function pause(s) {
  halt(s);
  show(s);
}

// ---- the pixel under the mouse ----
function where(s, e) {
  const box = s.get(".main").getBoundingClientRect();
  const column = Math.floor(((e.clientX - box.left) / box.width) * s.width);
  const row = Math.floor(((e.clientY - box.top) / box.height) * s.height);
  return row >= 0 && row < s.height && column >= 0 && column < s.width ? { row, column } : null;
}

function moveTo(s, place) {
  if (place?.row === s.place?.row && place?.column === s.place?.column) return;
  s.place = place;
  rest(s);
  show(s);
}

// A click holds the pixel, another one there lets it go: for fingers, and to look elsewhere.
function pin(s, place) {
  s.pinned = !(s.pinned && place?.row === s.place?.row && place?.column === s.place?.column);
  moveTo(s, place);
  show(s);
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function step(s, e) {
  if (!(e.key in ARROWS)) return;
  e.preventDefault();
  const [down, right] = ARROWS[e.key], from = s.place ?? { row: s.height >> 1, column: s.width >> 1 };
  const keep = (x, limit) => Math.min(limit - 1, Math.max(0, x));
  s.pinned = true;
  moveTo(s, { row: keep(from.row + down, s.height), column: keep(from.column + right, s.width) });
}

// Asks for the receptive field once the mouse rests; each place of each image only once in a row.
function rest(s) {
  clearTimeout(s.timer);
  if (!s.place || !s.get(".field").checked) return;
  const wish = { name: s.d.name, sample: s.sample, ...s.place }, text = JSON.stringify(wish);
  if (text === s.asked) return;
  s.timer = setTimeout(() => { s.asked = text; s.emit(wish); }, REST_MS);
}

function pickSample(s, e) {
  const grid = s.get(".grid"), box = grid.getBoundingClientRect();
  const columns = Math.min(s.d.shape[0], GRID_COLUMNS), rows = Math.ceil(s.d.shape[0] / columns);
  const x = Math.floor(((e.clientX - box.left) / box.width) * columns);
  const y = Math.floor(((e.clientY - box.top) / box.height) * rows);
  s.sample = Math.min(s.d.shape[0] - 1, Math.max(0, y * columns + x));
  rest(s);
  show(s);
}

// ---- showing ----
function show(s) {
  const d = s.d, lit = d.lit, on = s.get(".field").checked;
  const current = on && lit && s.place && lit[0] === s.sample && lit[1] === s.place.row
    && lit[2] === s.place.column;
  const state = { sample: s.sample, look: s.look, drawn: s.at, place: s.place,
    subject: subject(s), field: current ? { pull: d.pull, seen: d.seen } : null };
  paintMain(s.get(".main"), d, state);
  if (d.shape[0] > 1) paintGrid(s.get(".grid"), d, state);
  for (const button of s.root.querySelectorAll(".looks button")) {
    button.setAttribute("aria-pressed", button.dataset.look === s.look);
  }
  s.get(".play").textContent = s.frame ? "Pause" : s.at >= s.total ? "Replay" : "Play";
  s.get(".scrub").value = s.at;
  s.get("output").textContent = `${s.at} of ${s.total}`;
  const share = s.total > d.known ? (s.at - d.known) / (s.total - d.known) : 1;
  s.get(".scrub").style.setProperty("--at", `${100 * share}%`);
  legend(s, state);
  s.get(".readout").innerHTML = readout(s);
}

function legend(s, { field }) {
  const [low, ramp, high, what] = field
    ? ["little", "linear-gradient(to right, rgba(255,140,0,.15), rgba(255,140,0,.9))", "much",
      "pull on the prediction; hatched: before it, never seen"]
    : LOOKS[s.look].legend || ["", "", "", s.d.known ? "above the orange line: given" : ""];
  s.get(".low").textContent = low;
  s.get(".high").textContent = high;
  s.get(".what").textContent = what + (s.look === "p" && !field ? atT(s.d) : "");
  s.get(".legend i").style.background = ramp;
  s.get(".legend i").hidden = !ramp;
}

const chance = (p) =>
  p < 1e-4 ? "< 0.0001" : p > 0.9999 ? "> 0.9999" : p.toFixed(p < 0.01 || p > 0.99 ? 4 : 2);

// Nats are always the model's own, of T = 1. Where pixels are drawn at another temperature, every
// number says which one it is of.
const atT = (d, t = d.temperature) => (d.temperature === 1 ? "" : ` at T = ${Number(t.toFixed(2))}`);

const probability = (words, name, p) => `<div class="chance">${words} <b class="${name}">${chance(p)}</b>
      <span class="bar"><i style="width:${(100 * p).toFixed(1)}%"></i></span></div>`;

function readout(s) {
  const d = s.d, first = s.sample * s.total, index = subject(s);
  const logit = d.logits[first + index], ink = d.images[first + index];
  const p = sigmoid(logit), tempered = sigmoid(logit / d.temperature), drawn = index < s.at;
  let spent = 0;
  for (let k = 0; k < s.at; k++) spent += nats(d.logits[first + k], d.images[first + k]);
  const verb = d.replay ? (index < d.known ? "Given" : "Drawn") : "It is";
  const fact = drawn
    ? `${verb}: <b>${ink ? "ink" : "paper"}</b>, which costs <b>${nats(logit, ink).toFixed(2)}</b> nats${atT(d, 1)}`
    : s.place ? "Not drawn yet" : "Next to be drawn";
  const note = s.pinned ? "held; click it to let go"
    : s.place ? "" : drawn ? "the most surprising; move over the image" : "";
  return `<div>Row <b>${Math.floor(index / s.width) + 1}</b>, column <b>${(index % s.width) + 1}</b>
      <span class="dim">${note}</span></div>
    ${probability(`p(ink | ${index} pixels before it)${atT(d, 1)}`, "p", p)}
    ${d.temperature === 1 ? "" : probability(`p(ink)${atT(d)}, as it is drawn`, "tempered", tempered)}
    <div>${fact}</div>
    <div class="dim">−log p${atT(d, 1)} of ${s.at < s.total ? `the first ${s.at} pixels` : "the image"}:
      <b class="spent">${spent.toFixed(1)}</b> nats</div>`;
}

// The pixel that is spoken of: under the mouse, else the next to be drawn, else the dearest one.
function subject(s) {
  if (s.place) return s.place.row * s.width + s.place.column;
  if (s.at < s.total) return s.at;
  const first = s.sample * s.total, cost = (k) => nats(s.d.logits[first + k], s.d.images[first + k]);
  let dearest = Math.min(s.d.known, s.total - 1);
  for (let k = dearest + 1; k < s.total; k++) if (cost(k) > cost(dearest)) dearest = k;
  return dearest;
}
