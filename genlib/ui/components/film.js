// One canvas for the frames of an ascent, and its curves. The component pulls: when a frame is
// drawn it asks for the next; a watchdog asks again where an answer got lost. Nothing is asked for
// while the tab is hidden, so that the server sees that nobody is looking.
const WATCHDOG_MS = 400;
const TALLEST = 470; // CSS pixels of a single picture
const films = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let film = films.get(parentElement);
  if (!film) {
    film = build(parentElement.querySelector(".film"));
    films.set(parentElement, film);
  }
  film.pull = () => {
    film.asked = performance.now();
    setTriggerValue("pull", { n: ++film.pulls, before: film.beforeId });
  };
  receive(film, unwrap(data));
  return () => { clearInterval(film.timer); film.watch.disconnect(); films.delete(parentElement); };
}

function build(root) {
  const get = (selector) => root.querySelector(selector);
  const film = { root, picture: get(".picture"), chart: get(".chart"), facts: get(".facts"),
    compare: get(".compare"), split: get(".compare input"), tiles: [], before: null, beforeId: "",
    pulls: 0, seq: -1, times: [], meta: null, asked: 0, raw: document.createElement("canvas") };
  film.timer = setInterval(() => {
    const late = performance.now() - film.asked > WATCHDOG_MS;
    if (film.meta?.running && late && !document.hidden) film.pull();
  }, WATCHDOG_MS / 2);
  film.split.oninput = () => paint(film);
  film.picture.onpointerdown = film.picture.onpointermove = (e) => drag(film, e);
  film.watch = new ResizeObserver(() => paint(film));
  film.watch.observe(get(".stage"));
  return film;
}

function drag(film, event) {
  if (film.compare.hidden || !(event.buttons & 1)) return;
  const box = film.picture.getBoundingClientRect();
  const tile = film.tiles[0];
  if (!tile) return;
  const x = ((event.clientX - box.left) / box.width) * film.picture.width;
  film.split.value = Math.round((1000 * (x - tile.x)) / tile.w);
  film.picture.setPointerCapture?.(event.pointerId);
  paint(film);
}

async function receive(film, data) {
  const { meta } = data;
  film.meta = meta;
  const pixels = meta.png ? await unpack(data.frame) : expand(data.frame, meta);
  if (data.before?.length) {
    film.before = canvasOf(expand(data.before, { ...meta, count: 1 }));
    film.beforeId = meta.before;
  } else if (!meta.before) film.before = null;
  if (meta.seq < film.seq && meta.seq > 0 && meta.epoch === film.epoch) return; // came out of order
  if (meta.seq !== film.seq) film.times.push(performance.now());
  film.seq = meta.seq;
  film.epoch = meta.epoch;
  film.curves = data.curves;
  show(film.raw, pixels);
  paint(film);
  if (meta.running && !document.hidden) requestAnimationFrame(() => film.pull());
}

async function unpack(bytes) {
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

function expand(bytes, { count, height, width, channels }) {
  const out = new ImageData(width, height * count);
  for (let i = 0, o = 0; i < bytes.length; i += channels, o += 4) {
    out.data[o] = bytes[i];
    out.data[o + 1] = bytes[i + (channels === 3 ? 1 : 0)];
    out.data[o + 2] = bytes[i + (channels === 3 ? 2 : 0)];
    out.data[o + 3] = 255;
  }
  return out;
}

function canvasOf(pixels) {
  const canvas = document.createElement("canvas");
  show(canvas, pixels);
  return canvas;
}

function show(canvas, pixels) {
  if (canvas.width !== pixels.width || canvas.height !== pixels.height) {
    canvas.width = pixels.width;
    canvas.height = pixels.height;
  }
  const context = canvas.getContext("2d");
  if (pixels instanceof ImageData) context.putImageData(pixels, 0, 0);
  else context.drawImage(pixels, 0, 0);
}

function theme(film) {
  const style = getComputedStyle(film.root);
  const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
  return { text: value("text-color"), line: value("border-color"), accent: value("link-color"),
    font: value("font") || "sans-serif", soft: value("secondary-background-color"),
    colours: value("chart-categorical-colors").split(/,(?![^(]*\))/) };
}

// Where the tiles lie, in device pixels: whole multiples of the picture's pixels where it is small.
function arrange(film, room, ratio) {
  const { count, width, height, labels } = film.meta;
  const columns = count === 1 ? 1 : Math.min(count, room / ratio < 460 ? 3 : 5);
  const gap = 12 * ratio, foot = labels.length ? 40 * ratio : 0;
  let scale = Math.min((room - gap * (columns - 1)) / columns / width,
    count === 1 ? (TALLEST * ratio) / height : Infinity);
  if (scale >= 2) scale = Math.floor(scale);
  const w = Math.round(width * scale), h = Math.round(height * scale);
  film.tiles = Array.from({ length: count }, (_, i) => ({
    x: (i % columns) * (w + gap), y: Math.floor(i / columns) * (h + foot + gap), w, h }));
  return { height: film.tiles.at(-1).y + h + foot, smooth: scale < 2 && width > 64 };
}

function paint(film) {
  if (!film.meta || !film.raw.width) return;
  const { meta, picture } = film;
  const ratio = window.devicePixelRatio || 1;
  const room = Math.max(120, Math.round(film.root.clientWidth * ratio));
  const { height, smooth } = arrange(film, room, ratio);
  if (picture.width !== room || picture.height !== height) {
    picture.width = room;
    picture.height = height;
    picture.style.height = `${height / ratio}px`;
  }
  const context = picture.getContext("2d"), colours = theme(film);
  context.clearRect(0, 0, room, height);
  context.imageSmoothingEnabled = smooth;
  film.tiles.forEach((t, i) => {
    context.drawImage(film.raw, 0, i * meta.height, meta.width, meta.height, t.x, t.y, t.w, t.h);
    context.strokeStyle = colours.line;
    context.strokeRect(t.x + .5, t.y + .5, t.w - 1, t.h - 1);
    if (meta.labels[i] !== undefined) caption(context, t, meta, i, colours, ratio);
  });
  film.compare.hidden = !film.before;
  if (film.before) reveal(film, context, ratio);
  curves(film.chart, film.curves, meta, colours, ratio, film.root.clientWidth);
  facts(film);
}

function reveal(film, context, ratio) {
  const t = film.tiles[0], share = film.split.value / 1000;
  const edge = Math.round(t.w * share);
  context.drawImage(film.before, 0, 0, film.before.width * share, film.before.height,
    t.x, t.y, edge, t.h);
  context.fillStyle = "#fff";
  context.fillRect(t.x + edge - ratio, t.y, 2 * ratio, t.h);
  context.beginPath();
  context.arc(t.x + edge, t.y + t.h / 2, 9 * ratio, 0, 7);
  context.fill();
  context.strokeStyle = "#000";
  context.stroke();
}

function caption(context, t, meta, i, colours, ratio) {
  const y = t.y + t.h, p = meta.probabilities[i];
  context.fillStyle = colours.text;
  context.font = `600 ${15 * ratio}px ${colours.font}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  const right = p === null ? "" : percent(p);
  context.fillText(meta.labels[i], t.x, y + 6 * ratio, t.w - context.measureText(right).width - 8);
  context.textAlign = "right";
  context.fillText(right, t.x + t.w, y + 6 * ratio);
  if (p === null) return;
  context.fillStyle = colours.soft;
  context.fillRect(t.x, y + 26 * ratio, t.w, 5 * ratio);
  context.fillStyle = colourOf(meta.classes[i], meta, colours);
  context.fillRect(t.x, y + 26 * ratio, t.w * p, 5 * ratio);
}

function percent(p) {
  if (p > 0.999) return "> 99.9 %";
  return p < 0.001 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`;
}

function facts(film) {
  const { meta } = film, now = performance.now();
  film.times = film.times.filter((t) => now - t < 2000);
  const fps = film.times.length > 1
    ? (1000 * (film.times.length - 1)) / (film.times.at(-1) - film.times[0]) : 0;
  const number = (x) => x.toLocaleString("en", { maximumSignificantDigits: 3 });
  const parts = [`<span class="state ${meta.running ? "on" : ""}">${meta.state}</span>`,
    `step <b>${meta.step.toLocaleString("en")}</b>`];
  if (meta.running && meta.steps_per_s) {
    parts.push(`<b>${number(meta.steps_per_s)}</b> steps/s`, `<b>${number(fps)}</b> frames/s`);
  }
  film.facts.innerHTML = parts.map((p) => (p.startsWith("<span") ? p : `<span>${p}</span>`)).join("");
  Object.assign(film.root.dataset, { step: meta.step, seq: meta.seq, fps: fps.toFixed(1),
    running: meta.running });
}
