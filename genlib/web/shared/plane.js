// The map as a picture: where points are, how they move, and how they are painted.
import { clamp, NextFrame } from "./hand.js"
import { circle, penFor, strokeLines } from "./picture.js"

const DOT_SPACE = 36 // CSS pixels of canvas side for each visible point, above which thumbs show
const THUMB_LOW = 14
const THUMB_HIGH = 56 // CSS pixels: two screen pixels for each of 28
const FAINT = 0.12 // opacity of points outside a selection
const PADDING = 28 // CSS pixels around the points when all of them are shown
const tidy = (v) => String(Number(v.toPrecision(6)))

const niceStep = (least) => {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * [1, 2, 5, 10].find((m) => m * power >= least)
}

const between = (a, b, t) => ({
  x: a.x + t * (b.x - a.x),
  y: a.y + t * (b.y - a.y),
  scale: a.scale * (b.scale / a.scale) ** t, // zooming feels even in the logarithm
})

/** The point to go to from point i with an arrow key: near, and in that direction.
 * @param {number} i -1: the point nearest to the middle of the screen
 * @param {number[][]} places [x, y] of each point on the screen, NaN where it is not shown
 * @param {number} right @param {number} down -1, 0 or 1 each
 * @param {number[]} middle of the screen @returns {number} */
export const neighbourTowards = (i, places, right, down, middle) => {
  const [x, y] = i < 0 ? middle : places[i]
  let [best, found] = [Infinity, i]
  places.forEach(([px, py], k) => {
    const ahead = (px - x) * right + (py - y) * down, aside = Math.abs((px - x) * down) + Math.abs((py - y) * right)
    const cost = i < 0 ? Math.hypot(px - x, py - y) : ahead + 2 * aside
    if (k !== i && (i < 0 || (ahead > 0.5 && aside <= ahead * 1.2)) && cost < best) [best, found] = [cost, k]
  })
  return found
}

/** Points in the plane, seen through a view that moves. */
export class Plane {
  /** @param {HTMLCanvasElement} canvas @param {() => void} painted called after every painting */
  constructor(canvas, painted) {
    Object.assign(this, { canvas, painted, sprites: new Map() })
    this.now = new Float32Array(0) // positions as they are on screen, x0 y0 x1 y1 ...
    this.to = this.now // where they are going
    this.view = { x: 0, y: 0, scale: 1 } // centre in map units; CSS pixels per unit
    this.following = true // the view shows all points, until the user moves it
    this.hidden = new Set() // labels that the legend has switched off
    this.chosen = null // Set of selected points, or null
    this.glides = () => false // one step of a glide; whether there is another
    this.frame = new NextFrame(() => { if (this.glides()) this.frame.ask(); this.paint() })
  }
  resize(width, height) {
    const dpr = window.devicePixelRatio || 1
    if (width === this.width && height === this.height && dpr === this.dpr) return
    Object.assign(this, { width, height, dpr })
    this.sprites.clear()
    if (this.following) this.view = this.fitted(this.now)
    this.paint()
  }

  // ---- where things are ----
  toScreen(x, y) {
    const { view, width, height } = this
    return [(x - view.x) * view.scale + width / 2, height / 2 - (y - view.y) * view.scale]
  }
  toMap(px, py) {
    const { view, width, height } = this
    return [(px - width / 2) / view.scale + view.x, (height / 2 - py) / view.scale + view.y]
  }
  placeOf(i) { return this.toScreen(this.now[2 * i], this.now[2 * i + 1]) }

  /** The point to go to from point i with an arrow key, among those that are shown.
   * @param {number} i -1: the point nearest to the middle @param {number} right @param {number} down -1, 0 or 1 each */
  neighbour(i, right, down) {
    const { labels, hidden, width, height } = this, from = hidden.has(labels[i]) ? -1 : i
    const places = Array.from(labels, (label, k) => (hidden.has(label) ? [NaN, NaN] : this.placeOf(k)))
    return neighbourTowards(from, places, right, down, [width / 2, height / 2])
  }
  fitted(points) {
    if (!points.length || !this.width) return { ...this.view }
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity]
    for (let i = 0; i < points.length; i += 2) {
      x0 = Math.min(x0, points[i]), x1 = Math.max(x1, points[i])
      y0 = Math.min(y0, points[i + 1]), y1 = Math.max(y1, points[i + 1])
    }
    const wide = (this.width - 2 * PADDING) / Math.max(x1 - x0, 1e-9)
    const high = (this.height - 2 * PADDING) / Math.max(y1 - y0, 1e-9)
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.max(Math.min(wide, high), 1e-9) }
  }
  fit() { this.following = true; this.glide(this.to, 200) }
  pan(dx, dy) {
    this.following = false
    this.view.x -= dx / this.view.scale
    this.view.y += dy / this.view.scale
    this.frame.ask()
  }
  zoom(factor, px, py) {
    const [x, y] = this.toMap(px, py), whole = this.fitted(this.to).scale
    const scale = clamp(this.view.scale * factor, whole / 4, whole * 400)
    const kept = this.view.scale / scale // the place under the pointer stays under it
    this.view = { x: x + (this.view.x - x) * kept, y: y + (this.view.y - y) * kept, scale }
    this.following = false
    this.frame.ask()
  }

  /** The nearest visible point within `reach` CSS pixels, or -1. A thumb is hit all over. */
  at(px, py, reach) {
    const [x, y] = this.toMap(px, py)
    let [best, found] = [(Math.max(reach, this.thumb / 2) / this.view.scale) ** 2, -1]
    for (let i = 0, n = this.labels?.length ?? 0; i < n; i++) {
      const dx = this.now[2 * i] - x, dy = this.now[2 * i + 1] - y, square = dx * dx + dy * dy
      if (square < best && !this.hidden.has(this.labels[i])) [best, found] = [square, i]
    }
    return found
  }

  /** Take new positions; points that were there travel to them in `ms`. */
  glide(to, ms) {
    const from = this.now.length === to.length ? this.now.slice() : to.slice(), viewFrom = { ...this.view }
    const jump = this.now.length !== to.length || matchMedia("(prefers-reduced-motion: reduce)").matches
    const began = performance.now()
    this.to = to
    this.now = from.slice()
    this.glides = () => {
      const t = jump ? 1 : Math.min(1, (performance.now() - began) / ms)
      for (let i = 0; i < to.length; i++) this.now[i] = from[i] + t * (to[i] - from[i])
      if (this.following) this.view = between(viewFrom, this.fitted(this.to), t)
      if (t === 1) this.glides = () => false
      this.canvas.dataset.moving = t < 1
      return t < 1
    }
    if (this.glides()) this.frame.ask()
    this.paint()
  }

  // ---- painting ----
  paint() {
    if (!this.width || !this.labels) return
    const pen = (this.pen = penFor(this.canvas, this.width, this.height))
    pen.fillStyle = this.theme.ground
    pen.fillRect(0, 0, this.width, this.height)
    if (this.axes) this.paintGrid()
    const seen = this.visible(), room = Math.sqrt((this.width * this.height) / Math.max(seen.length, 1))
    this.thumb = this.atlas && room > DOT_SPACE ? clamp(room * 0.6, THUMB_LOW, THUMB_HIGH) : 0
    for (const i of seen) {
      pen.globalAlpha = this.chosen && !this.chosen.has(i) ? FAINT : 1
      if (this.thumb) this.paintThumb(i, this.thumb)
      else this.paintDot(i)
    }
    pen.globalAlpha = 1
    this.painted()
  }
  visible() {
    const seen = []
    const [x0, y1] = this.toMap(-THUMB_HIGH, -THUMB_HIGH)
    const [x1, y0] = this.toMap(this.width + THUMB_HIGH, this.height + THUMB_HIGH)
    for (let i = 0; i < this.labels.length; i++) {
      const x = this.now[2 * i], y = this.now[2 * i + 1]
      if (x > x0 && x < x1 && y > y0 && y < y1 && !this.hidden.has(this.labels[i])) seen.push(i)
    }
    return seen
  }
  colourOf(label) { return this.theme.classes[label % this.theme.classes.length] }
  paintDot(i) {
    const sprite = this.sprite(this.labels[i]), half = sprite.width / this.dpr / 2, [px, py] = this.placeOf(i)
    this.pen.drawImage(sprite, px - half, py - half, 2 * half, 2 * half)
  }

  // A dot is painted once for each colour and stamped from then on.
  sprite(label) {
    if (this.sprites.has(label)) return this.sprites.get(label)
    const r = this.labels.length > 4000 ? 2.6 : 3.8, sprite = document.createElement("canvas")
    sprite.width = sprite.height = Math.ceil((2 * r + 2) * this.dpr)
    const pen = sprite.getContext("2d")
    circle(pen, sprite.width / 2, sprite.width / 2, r * this.dpr)
    Object.assign(pen, { fillStyle: this.colourOf(label), strokeStyle: this.theme.ground })
    pen.lineWidth = this.dpr * 0.6
    pen.fill()
    pen.stroke()
    this.sprites.set(label, sprite)
    return sprite
  }
  paintThumb(i, size) {
    const { pen } = this, { sheet, columns, side } = this.atlas, [px, py] = this.placeOf(i)
    const x = px - size / 2, y = py - size / 2
    pen.imageSmoothingEnabled = size * this.dpr < side
    pen.drawImage(sheet, (i % columns) * side, Math.floor(i / columns) * side, side, side, x, y, size, size)
    Object.assign(pen, { strokeStyle: this.colourOf(this.labels[i]), lineWidth: 1.5 })
    pen.strokeRect(x, y, size, size)
  }
  paintGrid() {
    const { pen, width, height, theme } = this, step = niceStep(90 / this.view.scale)
    const [x0, y1] = this.toMap(0, 0), [x1, y0] = this.toMap(width, height)
    Object.assign(pen, { strokeStyle: theme.line, fillStyle: theme.text, font: "12px sans-serif" })
    pen.lineWidth = 1
    for (let k = Math.ceil(x0 / step); k * step <= x1; k++) {
      const [px] = this.toScreen(k * step, 0)
      strokeLines(pen, [px, 0, px, height])
      pen.fillText(tidy(k * step), px + 3, height - 5)
    }
    for (let k = Math.ceil(y0 / step); k * step <= y1; k++) {
      const [, py] = this.toScreen(0, k * step)
      strokeLines(pen, [0, py, width, py])
      pen.fillText(tidy(k * step), 4, py - 4)
    }
    Object.assign(pen, { font: "600 13px sans-serif", textAlign: "right" })
    pen.fillText(this.axes[0], width - 8, height - 6)
    pen.textAlign = "left"
    pen.fillText(this.axes[1], 8, 16)
  }
}
