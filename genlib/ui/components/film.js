// One canvas for the frames of an ascent, its curves and its filmstrip. Frames come from
// film_feed.js; each is drawn in the browser's next animation frame.
const TALLEST = 470; // CSS pixels of a single picture
const FACTS_MS = 200; // numbers that change faster cannot be read
const COLOURS_MS = 1000;
const films = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let film = films.get(parentElement);
  if (!film) {
    film = build(parentElement);
    films.set(parentElement, film);
  }
  film.data = data;
  film.trigger = (name, value) => setTriggerValue(name, { ...value, n: ++film.triggers });
  film.feed.tell(data);
  return () => { film.feed.end(); film.watch.disconnect(); films.delete(parentElement); };
}

function build(parent) {
  const root = parent.querySelector(".film");
  const get = (selector) => root.querySelector(selector);
  const film = { root, picture: get(".picture"), chart: get(".chart"), facts: get(".facts"),
    alert: get(".alert"), compare: get(".compare"), split: get(".compare input"),
    strip: parent.querySelector(".strip"), tiles: [], before: null, curves: null, packet: null,
    triggers: 0, times: [], factsAt: 0, colours: null, coloursAt: 0, room: root.clientWidth,
    raw: document.createElement("canvas") };
  film.split.oninput = () => film.packet && paint(film);
  film.picture.onpointerdown = film.picture.onpointermove = (e) => drag(film, e);
  film.watch = new ResizeObserver(() => {
    film.room = root.clientWidth;
    if (film.packet) paint(film), paintCurves(film);
  });
  film.watch.observe(get(".stage"));
  film.feed = startFeed({
    gotPacket: (packet) => receive(film, packet),
    gotStopped: () => film.trigger("stopped", {}),
    gotLost: (long) => { if (long) tellLost(film); },
  });
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

// Returns a promise that is kept when the frame is on the canvas.
function receive(film, packet) {
  if (packet.version !== film.packet?.version) film.times.push(performance.now());
  if (film.times.length > 60) film.times.shift();
  film.packet = packet;
  if (packet.original) {
    film.before = document.createElement("canvas");
    show(film.before, packet.original, packet.width, packet.height, packet.channels);
  }
  if (!film.data.compare) film.before = null;
  if (packet.table) film.curves = packet;
  if (packet.strip) {
    drawStrip(film.strip, packet.atlas, packet.strip, packet.running,
      (step) => film.trigger("go", { step }));
  }
  const { frame, width, height, count, channels } = packet;
  return new Promise((done) => requestAnimationFrame(() => {
    show(film.raw, frame, width, height * count, channels);
    paint(film);
    if (packet.table) paintCurves(film);
    facts(film);
    done();
  }));
}

function show(canvas, bytes, width, height, channels) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.pixels = null;
  }
  const image = (canvas.pixels ??= new ImageData(width, height));
  const second = channels === 3 ? 1 : 0, third = channels === 3 ? 2 : 0;
  for (let i = 0, o = 0; i < bytes.length; i += channels, o += 4) {
    image.data[o] = bytes[i];
    image.data[o + 1] = bytes[i + second];
    image.data[o + 2] = bytes[i + third];
    image.data[o + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// The theme may change at any time, but reading it makes the browser compute styles.
function theme(film) {
  const now = performance.now();
  if (film.colours && now - film.coloursAt < COLOURS_MS) return film.colours;
  const style = getComputedStyle(film.root);
  const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
  film.coloursAt = now;
  film.colours = { text: value("text-color"), line: value("border-color"),
    accent: value("link-color"), font: value("font") || "sans-serif",
    soft: value("secondary-background-color"),
    lines: value("chart-categorical-colors").split(/,(?![^(]*\))/) };
  return film.colours;
}

// Where the tiles lie, in device pixels: whole multiples of the picture's pixels where it is small.
function arrange(film, room, ratio) {
  const { count, width, height } = film.packet;
  const columns = count === 1 ? 1 : Math.min(count, room / ratio < 460 ? 3 : 5);
  const gap = 12 * ratio, foot = film.data.captions ? 40 * ratio : 0;
  let scale = Math.min((room - gap * (columns - 1)) / columns / width,
    count === 1 ? (TALLEST * ratio) / height : Infinity);
  if (scale >= 2) scale = Math.floor(scale);
  const w = Math.round(width * scale), h = Math.round(height * scale);
  film.tiles = Array.from({ length: count }, (_, i) => ({
    x: (i % columns) * (w + gap), y: Math.floor(i / columns) * (h + foot + gap), w, h }));
  return { height: film.tiles.at(-1).y + h + foot, smooth: scale < 2 && width > 64 };
}

function paint(film) {
  if (!film.raw.pixels) return;
  const { packet, picture } = film;
  const ratio = window.devicePixelRatio || 1;
  const room = Math.max(120, Math.round(film.room * ratio));
  const { height, smooth } = arrange(film, room, ratio);
  if (picture.width !== room || picture.height !== height) {
    picture.width = room;
    picture.height = height;
    picture.style.height = `${height / ratio}px`;
  }
  const context = picture.getContext("2d"), colours = theme(film);
  context.clearRect(0, 0, room, height);
  context.imageSmoothingEnabled = smooth;
  context.strokeStyle = colours.line;
  film.tiles.forEach((t, i) => {
    context.drawImage(film.raw, 0, i * packet.height, packet.width, packet.height,
      t.x, t.y, t.w, t.h);
    context.strokeRect(t.x + .5, t.y + .5, t.w - 1, t.h - 1);
    if (film.data.captions) caption(context, t, film, i, colours, ratio);
  });
  if (film.compare.hidden !== !film.before) film.compare.hidden = !film.before;
  if (film.before) reveal(film, context, ratio);
}

function paintCurves(film) {
  if (!film.curves) return;
  const ratio = window.devicePixelRatio || 1;
  drawCurves(film.chart, film.curves, film.data.panels, theme(film), ratio, film.room);
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

function caption(context, t, film, i, colours, ratio) {
  const { labels, probabilities, classes } = film.packet;
  const y = t.y + t.h, p = probabilities[i];
  context.save();
  context.fillStyle = colours.text;
  context.font = `600 ${15 * ratio}px ${colours.font}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  const right = p === null ? "" : percent(p);
  context.fillText(labels[i], t.x, y + 6 * ratio, t.w - context.measureText(right).width - 8);
  context.textAlign = "right";
  context.fillText(right, t.x + t.w, y + 6 * ratio);
  if (p !== null) {
    context.fillStyle = colours.soft;
    context.fillRect(t.x, y + 26 * ratio, t.w, 5 * ratio);
    context.fillStyle = colourOf(classes[i], film.curves?.curve_classes ?? classes, colours);
    context.fillRect(t.x, y + 26 * ratio, t.w * p, 5 * ratio);
  }
  context.restore();
}

function percent(p) {
  if (p > 0.999) return "> 99.9 %";
  return p < 0.001 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`;
}

function facts(film) {
  const { packet, times } = film, now = performance.now();
  const fps = times.length > 1 ? (1000 * (times.length - 1)) / (times.at(-1) - times[0]) : 0;
  Object.assign(film.root.dataset, { step: packet.step, version: packet.version,
    running: packet.running, fps: fps.toFixed(1) });
  if (packet.running && now - film.factsAt < FACTS_MS) return;
  film.factsAt = now;
  const number = (x) => x.toLocaleString("en", { maximumSignificantDigits: 3 });
  const parts = [`step <b>${packet.step.toLocaleString("en")}</b>`];
  if (packet.running && packet.steps_per_s) {
    parts.push(`<b>${number(packet.steps_per_s)}</b> steps/s`, `<b>${number(fps)}</b> frames/s`);
  }
  film.facts.innerHTML = `<span class="state ${packet.running ? "on" : ""}">${packet.state}</span>` +
    parts.map((part) => `<span>${part}</span>`).join("");
  film.alert.hidden = !packet.alert;
  film.alert.textContent = packet.alert;
  if (!packet.running) film.times = [];
}

function tellLost(film) {
  film.alert.hidden = false;
  film.alert.textContent = "No frames come from the server. If it does not mend itself, reload the page.";
}
