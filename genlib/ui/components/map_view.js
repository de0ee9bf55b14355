// The map as a picture: where points are, how they move, and how they are painted.

const DOT_SPACE = 36; // CSS pixels of canvas side for each visible point, above which thumbs show
const THUMB_LOW = 14;
const THUMB_HIGH = 56; // CSS pixels: two screen pixels for each of 28
const FAINT = 0.12; // opacity of points outside a selection
const PADDING = 28; // CSS pixels around the points when all of them are shown

class MapView {
  constructor(canvas) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
    this.now = new Float32Array(0); // positions as they are on screen, x0 y0 x1 y1 ...
    this.to = this.now; // where they are going
    this.view = { x: 0, y: 0, scale: 1 }; // centre in map units; CSS pixels per unit
    this.following = true; // the view shows all points, until the user moves it
    this.hidden = new Set(); // labels that the legend has switched off
    this.chosen = null; // Set of selected points, or null
    this.sprites = new Map();
    this.animation = 0;
    this.onmove = () => {}; // called after every painting
  }

  resize(width, height) {
    const dpr = window.devicePixelRatio || 1;
    [this.width, this.height, this.dpr] = [width, height, dpr];
    this.canvas.width = Math.round(width * dpr);
    this.canvas.height = Math.round(height * dpr);
    this.sprites.clear();
    if (this.following) this.view = this.fitted(this.now);
    this.paint();
  }

  // ---- where things are ----
  toScreen(x, y) {
    const { view, width, height } = this;
    return [(x - view.x) * view.scale + width / 2, height / 2 - (y - view.y) * view.scale];
  }

  toMap(px, py) {
    const { view, width, height } = this;
    return [(px - width / 2) / view.scale + view.x, (height / 2 - py) / view.scale + view.y];
  }

  fitted(points) {
    if (!points.length || !this.width) return { ...this.view };
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < points.length; i += 2) {
      x0 = Math.min(x0, points[i]), x1 = Math.max(x1, points[i]);
      y0 = Math.min(y0, points[i + 1]), y1 = Math.max(y1, points[i + 1]);
    }
    const wide = (this.width - 2 * PADDING) / Math.max(x1 - x0, 1e-9);
    const high = (this.height - 2 * PADDING) / Math.max(y1 - y0, 1e-9);
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.max(Math.min(wide, high), 1e-9) };
  }

  fit() {
    this.following = true;
    this.glide(this.to, 200);
  }

  pan(dx, dy) {
    this.following = false;
    this.view.x -= dx / this.view.scale;
    this.view.y += dy / this.view.scale;
    this.later();
  }

  zoom(factor, px, py) {
    const [x, y] = this.toMap(px, py);
    const whole = this.fitted(this.to).scale;
    const scale = Math.min(whole * 400, Math.max(whole / 4, this.view.scale * factor));
    const kept = this.view.scale / scale; // the place under the pointer stays under it
    this.view = { x: x + (this.view.x - x) * kept, y: y + (this.view.y - y) * kept, scale };
    this.following = false;
    this.later();
  }

  // The nearest visible point within `reach` CSS pixels, or -1. A thumb is hit all over.
  at(px, py, reach) {
    const [x, y] = this.toMap(px, py);
    let [best, found] = [(Math.max(reach, this.thumb / 2) / this.view.scale) ** 2, -1];
    for (let i = 0, n = this.labels?.length ?? 0; i < n; i++) {
      const dx = this.now[2 * i] - x, dy = this.now[2 * i + 1] - y;
      const square = dx * dx + dy * dy;
      if (square < best && !this.hidden.has(this.labels[i])) [best, found] = [square, i];
    }
    return found;
  }

  // ---- moving ----
  // Take new positions; points that were there travel to them in `ms`.
  glide(to, ms) {
    const from = this.now.length === to.length ? this.now.slice() : to.slice();
    const viewFrom = { ...this.view };
    const jump = this.now.length !== to.length || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const began = performance.now();
    this.to = to;
    this.now = from.slice();
    cancelAnimationFrame(this.animation);
    const step = () => {
      const t = jump ? 1 : Math.min(1, (performance.now() - began) / ms);
      for (let i = 0; i < to.length; i++) this.now[i] = from[i] + t * (to[i] - from[i]);
      if (this.following) this.view = between(viewFrom, this.fitted(this.to), t);
      this.paint();
      this.canvas.dataset.moving = t < 1;
      this.animation = t < 1 ? requestAnimationFrame(step) : 0;
    };
    step();
  }

  later() {
    if (!this.animation) {
      this.animation = requestAnimationFrame(() => {
        this.animation = 0;
        this.paint();
      });
    }
  }

  // ---- painting ----
  paint() {
    if (!this.width || !this.labels) return;
    const { ctx, dpr } = this;
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.fillStyle = this.theme.background;
    ctx.fillRect(0, 0, this.width, this.height);
    if (this.axes) this.paintGrid();
    const seen = this.visible();
    const room = Math.sqrt((this.width * this.height) / Math.max(seen.length, 1));
    this.thumb = this.atlas && room > DOT_SPACE ? Math.min(THUMB_HIGH, Math.max(THUMB_LOW, room * 0.6)) : 0;
    const faint = (i) => this.chosen && !this.chosen.has(i);
    for (const i of seen) {
      ctx.globalAlpha = faint(i) ? FAINT : 1;
      const [px, py] = this.toScreen(this.now[2 * i], this.now[2 * i + 1]);
      if (this.thumb) this.paintThumb(i, px, py, this.thumb);
      else this.paintDot(i, px, py);
    }
    ctx.globalAlpha = 1;
    this.onmove();
  }

  visible() {
    const seen = [];
    const [x0, y1] = this.toMap(-THUMB_HIGH, -THUMB_HIGH);
    const [x1, y0] = this.toMap(this.width + THUMB_HIGH, this.height + THUMB_HIGH);
    for (let i = 0; i < this.labels.length; i++) {
      const x = this.now[2 * i], y = this.now[2 * i + 1];
      if (x > x0 && x < x1 && y > y0 && y < y1 && !this.hidden.has(this.labels[i])) seen.push(i);
    }
    return seen;
  }

  paintDot(i, px, py) {
    const sprite = this.sprite(this.labels[i]);
    const half = sprite.width / this.dpr / 2;
    this.ctx.drawImage(sprite, px - half, py - half, 2 * half, 2 * half);
  }

  // A dot is painted once for each colour and stamped from then on.
  sprite(label) {
    if (!this.sprites.has(label)) {
      const r = this.labels.length > 4000 ? 2.6 : 3.8;
      const sprite = document.createElement("canvas");
      sprite.width = sprite.height = Math.ceil((2 * r + 2) * this.dpr);
      const ctx = sprite.getContext("2d");
      ctx.arc(sprite.width / 2, sprite.width / 2, r * this.dpr, 0, 7);
      ctx.fillStyle = this.theme.colours[label % this.theme.colours.length];
      ctx.strokeStyle = this.theme.background;
      ctx.lineWidth = this.dpr * 0.6;
      ctx.fill();
      ctx.stroke();
      this.sprites.set(label, sprite);
    }
    return this.sprites.get(label);
  }

  paintThumb(i, px, py, size) {
    const { ctx } = this;
    const { sheet, columns, side } = this.atlas;
    const x = px - size / 2, y = py - size / 2;
    ctx.imageSmoothingEnabled = size * this.dpr < side;
    ctx.drawImage(sheet, (i % columns) * side, Math.floor(i / columns) * side, side, side, x, y, size, size);
    ctx.strokeStyle = this.theme.colours[this.labels[i] % this.theme.colours.length];
    ctx.lineWidth = 1.5;
    ctx.strokeRect(x, y, size, size);
  }

  paintGrid() {
    const { ctx, width, height } = this;
    const step = niceStep(90 / this.view.scale);
    const [x0, y1] = this.toMap(0, 0), [x1, y0] = this.toMap(width, height);
    ctx.strokeStyle = this.theme.line;
    ctx.fillStyle = this.theme.text;
    ctx.font = "12px sans-serif";
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let k = Math.ceil(x0 / step); k * step <= x1; k++) {
      const [px] = this.toScreen(k * step, 0);
      ctx.moveTo(px, 0), ctx.lineTo(px, height);
      ctx.fillText(tidy(k * step), px + 3, height - 5);
    }
    for (let k = Math.ceil(y0 / step); k * step <= y1; k++) {
      const [, py] = this.toScreen(0, k * step);
      ctx.moveTo(0, py), ctx.lineTo(width, py);
      ctx.fillText(tidy(k * step), 4, py - 4);
    }
    ctx.stroke();
    ctx.font = "600 13px sans-serif";
    ctx.textAlign = "right";
    ctx.fillText(this.axes[0], width - 8, height - 6);
    ctx.textAlign = "left";
    ctx.fillText(this.axes[1], 8, 16);
  }
}

const tidy = (v) => String(Number(v.toPrecision(6)));

function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((m) => m * power >= least);
}

function between(a, b, t) {
  return {
    x: a.x + t * (b.x - a.x),
    y: a.y + t * (b.y - a.y),
    scale: a.scale * (b.scale / a.scale) ** t, // zooming feels even in the logarithm
  };
}
