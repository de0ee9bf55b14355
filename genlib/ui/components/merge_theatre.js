// All frames are here: the slider chooses one, and every card draws its part of it.
const theatres = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let s = theatres.get(parentElement);
  if (!s) {
    s = { root: parentElement.querySelector(".theatre"), seq: data.seq, held: false, timer: 0 };
    s.root.innerHTML = STAGE;
    s.get = (selector) => s.root.querySelector(selector);
    listen(s);
    theatres.set(parentElement, s);
  }
  s.emit = (value) => setStateValue("value", value);
  s.data = data;
  s.merges = bytes(data.merges);
  s.x_hats = data.cards.map((card) => bytes(card.x_hat));
  dress(s);
  // An answer older than what the hand did meanwhile must not pull the slider back.
  if (!s.held && data.seq >= s.seq) {
    s.seq = data.seq;
    s.slider.value = nearest(data.alpha, data.value);
  }
  show(s);
  return () => stop(s);
}

const STAGE = `
  <div class="stage">
    <figure><canvas class="pixels merge" role="img"></canvas><figcaption>merge</figcaption></figure>
    <div class="hand">
      <label for="alpha"><span class="name"></span><span class="help" tabindex="0">?</span>
        <output></output></label>
      <input id="alpha" type="range" step="1" min="0">
      <div class="ends"><span></span><span></span></div>
      <div class="row"><button type="button" class="play"></button><span class="why"></span></div>
    </div>
  </div>
  <div class="cards"></div>`;

const CARD = `
  <h3></h3><p class="text"></p>
  <div class="pictures">
    <figure><canvas class="pixels x_hat" role="img"></canvas>
      <figcaption>reconstruction</figcaption></figure>
    <figure><canvas class="pixels residual" role="img"></canvas>
      <figcaption title="red: ink of the merge that the model leaves out; blue: ink it adds"
        >residual</figcaption></figure>
  </div>
  <p class="energy"><b></b> <span></span></p>
  <p class="verdict"></p>
  <svg class="histogram" viewBox="0 0 300 150" role="img"></svg>
  <svg class="curve" viewBox="0 0 300 140" role="img"></svg>`;

function listen(s) {
  s.slider = s.get("input");
  s.slider.oninput = () => { stop(s); s.held = true; show(s); };
  s.slider.onchange = () => { s.held = false; rest(s); };
  s.get(".play").onclick = () => (s.timer ? (stop(s), rest(s)) : play(s));
}

function rest(s) {
  s.emit({ x: s.data.alpha[s.slider.value], seq: ++s.seq, rest: true });
}

// There and back once, two and a half seconds each way, beginning where the slider is.
function play(s) {
  const last = s.data.alpha.length - 1;
  let at = Number(s.slider.value), way = at >= last ? -1 : 1, turns = 0;
  s.held = true;
  s.timer = setInterval(() => {
    at += (way * last) / 100;
    if (at >= last || at <= 0) { at = at <= 0 ? 0 : last; way = -way; turns += 1; }
    s.slider.value = Math.round(at);
    show(s);
    if (turns === 2) { stop(s); rest(s); }
  }, 25);
  s.get(".play").textContent = "Stop";
}

function stop(s) {
  clearInterval(s.timer);
  if (s.timer) s.held = false;
  s.timer = 0;
  s.get(".play").textContent = "Play";
}

function dress(s) {
  const d = s.data, fixed = Boolean(d.fixed);
  s.get(".name").textContent = "Alpha";
  s.get(".play").textContent = s.timer ? "Stop" : "Play";
  s.get(".help").title = d.help;
  s.get(".help").setAttribute("aria-label", d.help);
  s.slider.max = Math.max(1, d.alpha.length - 1);
  s.slider.disabled = fixed;
  s.get(".play").disabled = fixed;
  s.get(".why").textContent = d.fixed;
  s.root.querySelectorAll(".ends span").forEach((end, i) => { end.textContent = d.names[i]; });
  const cards = s.get(".cards");
  while (cards.children.length > d.cards.length) cards.lastChild.remove();
  while (cards.children.length < d.cards.length) {
    const card = cards.appendChild(document.createElement("article"));
    card.innerHTML = CARD;
  }
  d.cards.forEach((card, i) => {
    const part = (selector) => cards.children[i].querySelector(selector);
    part("h3").textContent = card.title;
    part(".text").textContent = card.text;
    part(".energy span").textContent = card.unit;
    part(".histogram").innerHTML = histogram(card, d);
    part(".curve").innerHTML = curve(card, d);
  });
}

function show(s) {
  const d = s.data, t = d.fixed ? 0 : Number(s.slider.value), size = d.shape.reduce((a, b) => a * b);
  const frame = (all) => all.subarray(t * size, (t + 1) * size);
  s.get("output").textContent = d.fixed ? "" : d.alpha[t].toFixed(2);
  s.slider.style.setProperty("--at", `${(100 * t) / s.slider.max}%`);
  paint(s.get(".merge"), d.shape, frame(s.merges));
  s.get(".merge").setAttribute("aria-label", `merge at alpha ${d.alpha[t]}`);
  d.cards.forEach((card, i) => {
    const article = s.get(".cards").children[i], part = (selector) => article.querySelector(selector);
    const x_hat = frame(s.x_hats[i]);
    paint(part(".x_hat"), d.shape, x_hat);
    paint(part(".residual"), d.shape, x_hat, frame(s.merges));
    part(".energy b").textContent = digits(card.energy[t]);
    part(".verdict").textContent = card.verdict[t];
    article.dataset.mood = card.mood[t];
    place(part, card, d, t);
  });
}

// Grey or colour pixels; with `x` also given, the signed difference x - pixels, red above, blue below.
function paint(canvas, [channels, height, width], pixels, x) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const n = height * width, context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < 3; c++) {
      const k = i + n * Math.min(c, channels - 1);
      image.data[4 * i + c] = pixels[k];
    }
    if (x) {
      const difference = x[i] - pixels[i], by = Math.min(255, 1.6 * Math.abs(difference));
      image.data[4 * i] = difference > 0 ? by : by * 0.25;
      image.data[4 * i + 1] = by * 0.4;
      image.data[4 * i + 2] = difference > 0 ? by * 0.25 : by;
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// Both plots: a frame from (LEFT, TOP) to (RIGHT, FLOOR) in a view box 300 wide.
const LEFT = 36, RIGHT = 296, TOP = 22, FLOOR = 106;
const across = (share) => LEFT + (RIGHT - LEFT) * Math.min(1, Math.max(0, share));
const up = (share) => FLOOR - (FLOOR - TOP) * Math.min(1, Math.max(0, share));
const text = (x, y, words, anchor = "middle") =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;
const axis = `<path class="axis" d="M${LEFT} ${FLOOR}H${RIGHT}"/>`;

function histogram({ histogram: h }, d) {
  const top = Math.max(...h.real, ...h.merged), width = (RIGHT - LEFT) / h.real.length;
  const bars = (counts, name) => counts.map((count, i) =>
    `<rect class="${name}" x="${LEFT + i * width}" y="${up(count / top)}" width="${width}"
      height="${FLOOR - up(count / top)}"/>`).join("");
  return `${bars(h.real, "real")}${bars(h.merged, "merged")}${axis}
    ${text(LEFT, 121, digits(h.low), "start")}${text(RIGHT, 121, `${digits(h.high)}+`, "end")}
    ${text((LEFT + RIGHT) / 2, 121, "energy")}
    <rect class="real" x="${LEFT}" y="133" width="10" height="10"/>
    ${text(LEFT + 15, 142.5, "real digits", "start")}
    <rect class="merged" x="${LEFT + 100}" y="133" width="10" height="10"/>
    ${text(LEFT + 115, 142.5, d.merged_name, "start")}
    <path class="mark"/><text class="flag" y="14" text-anchor="middle">this image</text>`;
}

function curve(card, d) {
  const [low, middle, high] = card.band, top = height_of(card), n = card.energy.length - 1;
  const points = card.energy.map((e, t) =>
    `${across(n ? t / n : 0.5).toFixed(1)},${up(e / top).toFixed(1)}`);
  return `<rect class="band" x="${LEFT}" y="${up(high / top)}" width="${RIGHT - LEFT}"
      height="${up(low / top) - up(high / top)}"/>
    <path class="median" d="M${LEFT} ${up(middle / top)}H${RIGHT}"/>${axis}
    <polyline points="${points.join(" ")}"/>
    ${text(LEFT - 4, TOP + 5, digits(top), "end")}${text(LEFT - 4, FLOOR, "0", "end")}
    ${text(LEFT, 121, n ? d.names[0] : "", "start")}${text(RIGHT, 121, n ? d.names[1] : "", "end")}
    ${text((LEFT + RIGHT) / 2, 121, n ? "energy along α" : "energy of this image")}
    ${text((LEFT + RIGHT) / 2, 136, "band: 90% of real digits")}
    <path class="mark"/><circle class="dot" r="6"/>`;
}

const height_of = (card) => 1.08 * Math.max(card.band[2], ...card.energy) || 1;

function place(part, card, d, t) {
  const { low, high } = card.histogram, n = d.alpha.length - 1, energy = card.energy[t];
  const x = across((energy - low) / (high - low || 1));
  part(".histogram .mark").setAttribute("d", `M${x} ${TOP - 4}V${FLOOR}`);
  part(".histogram .flag").setAttribute("x", Math.min(x, RIGHT - 30));
  const at = across(n ? t / n : 0.5), y = up(energy / height_of(card));
  part(".curve .mark").setAttribute("d", `M${at} ${y}V${FLOOR}`);
  part(".curve .dot").setAttribute("cx", at);
  part(".curve .dot").setAttribute("cy", y);
}

function bytes(base64) {
  const letters = atob(base64), out = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) out[i] = letters.charCodeAt(i);
  return out;
}

// Three significant digits or so: energies run from hundredths to hundreds.
function digits(x) {
  const size = Math.abs(x);
  return x.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 || size === 0 ? 2 : 3);
}

function nearest(values, x) {
  let best = 0;
  values.forEach((v, i) => { if (Math.abs(v - x) < Math.abs(values[best] - x)) best = i; });
  return best;
}
