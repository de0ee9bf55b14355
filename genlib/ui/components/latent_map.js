// The latent map: a scatter of pictures that answers to the hand. The server sends positions; the
// pictures, the codes and the decoder lie on the page's shelf (map_store.js).

const GLIDE_MS = 450; // travel time of points between two frames or epochs
const BLEND = 8; // an empty place is decoded from this many nearest points' codes
const HTML = `
<div class="bar">
  <div class="legend" role="group" aria-label="Classes shown"></div>
  <div class="tools">
    <button type="button" class="lasso" aria-pressed="false"
      title="Draw around points to choose them (or hold Shift and drag)">Lasso</button>
    <button type="button" class="none" title="Choose nothing">Clear selection</button>
    <button type="button" class="fit" title="Show all points (double click, or key 0)">Fit</button>
    <button type="button" class="png" title="Save the map as you see it">PNG</button>
  </div>
</div>
<div class="stage">
  <canvas class="base" tabindex="0"></canvas>
  <canvas class="top"></canvas>
  <div class="tip" hidden><canvas width="28" height="28"></canvas><span></span></div>
  <div class="hint">Wheel or pinch: zoom · drag: move · click: look at a digit</div>
</div>`;

const maps = new WeakMap();

class LatentMap {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "latent-map";
    this.root.innerHTML = HTML;
    parent.appendChild(this.root);
    const get = (name) => this.root.querySelector("." + name);
    this.parts = Object.fromEntries(
      ["legend", "lasso", "none", "fit", "png", "stage", "base", "top", "tip", "hint"].map((n) => [n, get(n)]),
    );
    this.view = new MapView(this.parts.base);
    this.view.onmove = () => this.paintTop();
    this.hand = new MapHand(this.parts.base, this.view, {
      hover: (px, py, stamp) => this.hover(px, py, stamp),
      leave: () => this.leave(),
      click: (px, py) => this.click(px, py),
      lasso: (polygon, done) => this.lasso(polygon, done),
    });
    this.parts.lasso.onclick = () => this.setLasso(!this.hand.lassoing);
    this.parts.none.onclick = () => this.choose([], null);
    this.parts.fit.onclick = () => this.view.fit();
    this.parts.png.onclick = () => this.save();
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.parts.stage);
  }

  update(component) {
    const data = unpack(component.data);
    this.send = component.setStateValue; // always the newest: older ones are dead
    const before = this.data;
    this.data = data;
    this.view.theme = theme(this.root);
    this.view.sprites.clear();
    this.view.labels = data.labels;
    this.view.axes = data.axes;
    this.picked = data.picked;
    this.view.chosen = data.chosen.length ? new Set(data.chosen) : null;
    if (!before) this.view.hidden = new Set(data.hidden);
    this.parts.stage.style.height = data.height + "px";
    this.take("pictures", before, (shared) => (this.view.atlas = shared));
    this.take("codes", before, (shared) => (this.shared = shared));
    this.dressLegend();
    this.parts.none.disabled = this.picked < 0 && !this.view.chosen;
    if (before?.pictures !== data.pictures) this.view.now = new Float32Array(0);
    if (before?.space !== data.space) this.view.following = true;
    if (!this.view.width) this.resize();
    if (same(this.view.to, data.positions) && this.view.now.length) return this.view.later();
    this.view.glide(data.positions, before?.space === data.space ? GLIDE_MS : 2 * GLIDE_MS);
  }

  // Wait for what lies on the shelf under data[field]; nothing is asked for where it is "".
  take(field, before, use) {
    const name = this.data[field];
    if (before?.[field] === name) return;
    use(null);
    if (!name) return;
    withShared(name, (shared) => {
      if (this.data[field] !== name) return;
      use(shared);
      this.view.later();
    });
  }

  resize() {
    const width = this.parts.stage.clientWidth, height = this.parts.stage.clientHeight;
    if (!width || !height) return;
    const dpr = window.devicePixelRatio || 1;
    this.parts.top.width = Math.round(width * dpr);
    this.parts.top.height = Math.round(height * dpr);
    this.view.resize(width, height);
  }

  // ---- what the hand asks for ----
  hover(px, py, stamp) {
    this.pointer = [px, py];
    if (this.hovering) return;
    this.hovering = requestAnimationFrame(() => {
      this.hovering = 0;
      if (!this.pointer) return;
      this.showTip(...this.pointer);
      this.paintTop();
      this.root.dataset.hoverMs = (performance.now() - stamp).toFixed(1);
    });
  }

  leave() {
    this.pointer = null;
    this.over = -1;
    this.parts.tip.hidden = true;
    this.paintTop();
  }

  click(px, py) {
    const found = this.view.at(px, py, TAP_REACH);
    if (found < 0) return this.showTip(px, py); // a finger cannot hover: tapping decodes
    this.choose(this.data.chosen, found === this.picked ? null : found);
  }

  lasso(polygon, done) {
    this.polygon = done ? null : polygon;
    if (!done) return this.paintTop();
    const chosen = [];
    for (let i = 0; i < this.data.labels.length; i++) {
      const at = this.view.toScreen(this.view.now[2 * i], this.view.now[2 * i + 1]);
      if (!this.view.hidden.has(this.data.labels[i]) && inside(polygon, at)) chosen.push(i);
    }
    this.choose(chosen, this.picked < 0 ? null : this.picked);
  }

  choose(chosen, picked) {
    const before = [...this.data.chosen].join();
    this.data.chosen = chosen;
    this.view.chosen = chosen.length ? new Set(chosen) : null;
    this.data.rays = new Int32Array(0); // neighbours of the point before
    if ((picked ?? -1) !== this.picked) this.send("picked", picked === null ? null : this.data.numbers[picked]);
    this.picked = picked ?? -1;
    if ([...chosen].join() !== before) this.send("lassoed", [...chosen].map((i) => this.data.numbers[i]));
    this.parts.none.disabled = this.picked < 0 && !this.view.chosen;
    this.view.later();
  }

  setLasso(on) {
    this.hand.lassoing = on;
    this.parts.lasso.setAttribute("aria-pressed", on);
    this.parts.base.classList.toggle("lassoing", on);
  }

  // ---- the picture beside the pointer ----
  showTip(px, py) {
    const { tip } = this.parts;
    const star = this.starAt(px, py);
    const found = star < 0 ? this.view.at(px, py, TAP_REACH) : -1;
    this.over = found;
    const text =
      star >= 0 ? this.showStar(star) : found >= 0 ? this.showPoint(found) : this.showDecoded(px, py);
    tip.hidden = text === null;
    this.root.dataset.hover = text ?? "";
    if (text === null) return;
    tip.querySelector("span").textContent = text;
    tip.classList.toggle("decoded", found < 0 && star < 0);
    tip.style.left = (px + 150 < this.view.width ? px + 18 : px - 142) + "px";
    tip.style.top = (py + 170 < this.view.height ? py + 18 : py - 158) + "px";
  }

  tipCanvas(side) {
    const canvas = this.parts.tip.querySelector("canvas");
    if (canvas.width !== side) canvas.width = canvas.height = side;
    return canvas.getContext("2d", { willReadFrequently: true });
  }

  showPoint(i) {
    const { atlas } = this.view;
    if (!atlas) return null;
    const { sheet, columns, side } = atlas;
    const x = (i % columns) * side, y = Math.floor(i / columns) * side;
    this.tipCanvas(side).drawImage(sheet, x, y, side, side, 0, 0, side, side);
    return `${this.data.classes[this.data.labels[i]]} · test image ${this.data.numbers[i]}`;
  }

  showStar(k) {
    const side = this.data.starSide;
    const ctx = this.tipCanvas(side);
    const image = ctx.createImageData(side, side);
    const ink = this.data.starPictures.subarray(k * side * side, (k + 1) * side * side);
    ink.forEach((v, p) => image.data.set([v, v, v, 255], 4 * p));
    ctx.putImageData(image, 0, 0);
    return this.data.starName + (this.data.stars.length > 2 ? ` ${k + 1}` : "");
  }

  showDecoded(px, py) {
    const decoder = this.shared?.decoder;
    const z = decoder && this.codeAt(...this.view.toMap(px, py));
    if (!z) return null;
    const { width, height, channels } = decoder;
    const ctx = this.tipCanvas(width);
    const image = ctx.createImageData(width, height);
    paintPixels(decoder.decode(z), channels, image);
    ctx.putImageData(image, 0, 0);
    return this.data.axesRows?.length ? "decoded from this place" : `decoded from ${BLEND} nearest`;
  }

  // The code of a place on the map: exact where the map is a plane, else a blend of near codes.
  codeAt(x, y) {
    const { axesRows, mean, origin } = this.data;
    if (axesRows?.length) {
      const d = mean.length, dx = x - origin[0], dy = y - origin[1];
      return mean.map((m, i) => m + dx * axesRows[i] + dy * axesRows[d + i]);
    }
    if (!this.shared.codes) return null;
    return blendCodes(x, y, this.view.now, this.shared, BLEND);
  }

  starAt(px, py) {
    for (let k = this.data.stars.length / 2 - 1; k >= 0; k--) {
      const [sx, sy] = this.view.toScreen(this.data.stars[2 * k], this.data.stars[2 * k + 1]);
      if (Math.hypot(sx - px, sy - py) < TAP_REACH) return k;
    }
    return -1;
  }
}

const same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);

// Weights 1 / squared distance (Shepard), as genlib/explore/neighbours.py `blend`.
function blendCodes(x, y, points, { codes, low, high, latents }, k) {
  const near = []; // [squared distance, point], nearest first
  for (let i = 0; i < points.length / 2; i++) {
    const square = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
    if (near.length === k && square >= near[k - 1][0]) continue;
    let at = near.length;
    while (at > 0 && near[at - 1][0] > square) at--;
    near.splice(at, 0, [square, i]);
    if (near.length > k) near.pop();
  }
  const weights = near.map(([square]) => 1 / Math.max(square, 1e-12));
  const total = weights.reduce((a, b) => a + b, 0);
  const z = new Float32Array(latents);
  near.forEach(([, i], n) => {
    for (let j = 0; j < latents; j++) {
      const code = low[j] + (codes[i * latents + j] / 255) * (high[j] - low[j]);
      z[j] += (weights[n] / total) * code;
    }
  });
  return z;
}
