// Drawing on a canvas in the data's own units: frames with axes, curves, points and ellipses.
import { place } from "./gaussian.js"

const FONT = 14 // pixels: the smallest that a lecture hall can read
const AROUND = 72 // corners of an ellipse
const MOST_TICKS = 200 // whatever the numbers are, an axis is drawn in no time

/** Round steps for an axis. @param {number} low @param {number} high @param {number} about how many
 * @returns {number[]} multiples of 1, 2 or 5 times a power of ten in [low, high] */
export const ticks = (low, high, about) => {
  const raw = (high - low) / Math.max(1, about), power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 5].find((m) => m * power >= 0.75 * raw) ?? 10)
  const first = Math.ceil(low / step - 1e-9), count = Math.floor(high / step + 1e-9) - first + 1
  return Array.from({ length: count > 0 ? Math.min(count, MOST_TICKS) : 0 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** A number as people read it: four digits at most, a true minus. @param {number} x @param {number} [digits] */
export const readable = (x, digits = 4) => {
  const short = Number(x.toPrecision(digits)), text = Math.abs(short) >= 1e6 ? short.toExponential() : String(short)
  return text.replaceAll("-", "−").replace(/e\+?/, "·10^")
}

/** e^log, also where that is too small or too large for a double. @param {number} log @param {number} [digits] */
export const readableExp = (log, digits = 2) => {
  if (Math.abs(log) < 600) return readable(Math.exp(log), digits)
  const power = Math.floor(log / Math.LN10)
  return `${readable(10 ** (log / Math.LN10 - power), digits)}·10^${readable(power, 6)}`
}

/** Nats, or any number: three decimals and a true minus, or a power of ten. @param {number} x */
export const decimals = (x) => {
  const text = Math.abs(x) < 1e5 ? x.toFixed(3) : x.toExponential(1).replace(/e\+?(-?\d+)/, " · 10<sup>$1</sup>")
  return text.replaceAll("-", "−")
}

/** The colour of class 0 or 1, or of the part of a mixture. @param {object} theme @param {number} c */
export const classColour = (theme, c) => theme.classes[[1, 0, 2, 4][c]]

/** A colour's red, green and blue, 0 to 255. @param {string} hex "#rrggbb" */
export const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))

/** An area of a canvas with its own two scales. */
export class Frame {
  /** @param {CanvasRenderingContext2D} pen @param {object} theme as readTheme gives it
   * @param {{left: number, top: number, right: number, bottom: number}} box in CSS pixels
   * @param {[number, number]} xs what is at its left and right @param {[number, number]} ys bottom, top */
  constructor(pen, theme, box, xs, ys) { Object.assign(this, { pen, theme, ...box, xs, ys }) }
  px(x) { return this.left + ((x - this.xs[0]) / (this.xs[1] - this.xs[0])) * (this.right - this.left) }
  py(y) { return this.bottom - ((y - this.ys[0]) / (this.ys[1] - this.ys[0])) * (this.bottom - this.top) }
  x(px) { return this.xs[0] + ((px - this.left) / (this.right - this.left)) * (this.xs[1] - this.xs[0]) }
  y(py) { return this.ys[0] + ((this.bottom - py) / (this.bottom - this.top)) * (this.ys[1] - this.ys[0]) }
  get perX() { return (this.right - this.left) / (this.xs[1] - this.xs[0]) }
  get perY() { return (this.bottom - this.top) / (this.ys[1] - this.ys[0]) }
  holds(px, py) { return px >= this.left && px <= this.right && py >= this.top && py <= this.bottom }

  /** Draw only inside the frame. @param {() => void} draw */
  within(draw) {
    const { pen } = this
    pen.save()
    pen.beginPath()
    pen.rect(this.left, this.top, this.right - this.left, this.bottom - this.top)
    pen.clip()
    draw()
    pen.restore()
  }

  /** Axes with ticks. @param {string} below name of x @param {string} [up] name of y; none: no ticks */
  axes(below, up = "") {
    const { pen, theme } = this
    pen.strokeStyle = theme.line
    pen.lineWidth = 1
    pen.strokeRect(this.left + 0.5, this.top + 0.5, this.right - this.left, this.bottom - this.top)
    for (const x of ticks(...this.xs, (this.right - this.left) / 90)) {
      this.text(readable(x), this.px(x), this.bottom + 16, "center")
    }
    this.text(below, (this.left + this.right) / 2, this.bottom + 33, "center")
    if (!up) return
    for (const y of ticks(...this.ys, (this.bottom - this.top) / 45)) {
      this.text(readable(y), this.left - 6, this.py(y) + 5, "right")
    }
    this.text(up, this.left - 40, this.top - 7, "left")
  }

  /** Words in CSS pixels. */
  text(words, px, py, align = "left", colour = this.theme.text, weight = "") {
    const { pen } = this
    pen.font = `${weight} ${FONT}px ${this.theme.font}`
    pen.fillStyle = colour
    pen.textAlign = align
    pen.fillText(words, px, py)
  }

  /** Words on a ground of the page's colour, so that they can be read over points. */
  label(words, px, py, align = "left", colour = this.theme.text) {
    const { pen } = this
    pen.font = `600 ${FONT}px ${this.theme.font}`
    const wide = pen.measureText(words).width
    const left = Math.min(Math.max(align === "right" ? px - wide : align === "center" ? px - wide / 2 : px,
      this.left + 4), this.right - wide - 4)
    pen.globalAlpha = 0.85
    pen.fillStyle = this.theme.ground
    pen.fillRect(left - 4, py - 15, wide + 8, 20)
    pen.globalAlpha = 1
    this.text(words, left, py, "left", colour, "600")
  }

  /** Points as dots. @param {number[][]} points @param {(point: number[], i: number) => string} colour
   * @param {number} [radius] @param {number} [alpha] */
  dots(points, colour, radius = 3, alpha = 0.55) {
    const { pen } = this
    pen.globalAlpha = alpha
    points.forEach((point, i) => {
      pen.fillStyle = colour(point, i)
      pen.beginPath()
      pen.arc(this.px(point[0]), this.py(point[1]), radius, 0, 7)
      pen.fill()
    })
    pen.globalAlpha = 1
  }

  /** A function of x as a line. @param {(x: number) => number} f
   * @param {object} [look] width, dash, and from and to where only a part is drawn */
  curve(f, colour, { width = 2.5, dash = [], from = this.xs[0], to = this.xs[1] } = {}) {
    this.path(this.steps(from, to).map((x) => [x, f(x)]), { stroke: colour, width, dash })
  }

  /** The area between two functions of x. */
  between(low, high, colour, { alpha = 0.25, from = this.xs[0], to = this.xs[1] } = {}) {
    const xs = this.steps(from, to)
    const corners = [...xs.map((x) => [x, high(x)]), ...xs.reverse().map((x) => [x, low(x)])]
    this.path(corners, { fill: colour, alpha, closed: true })
  }

  steps(from, to) {
    const count = Math.max(2, Math.ceil(Math.abs(this.px(to) - this.px(from)) / 2))
    return Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count)
  }

  /** Lines through corners in data units, far ones kept within what canvases can draw. */
  path(corners, { stroke, fill, width = 2, dash = [], alpha = 1, closed = false }) {
    const { pen } = this, near = (p) => Math.min(1e5, Math.max(-1e5, p))
    pen.beginPath()
    for (const [x, y] of corners) pen.lineTo(near(this.px(x)), near(this.py(y)))
    if (closed) pen.closePath()
    pen.globalAlpha = alpha
    if (fill) { pen.fillStyle = fill; pen.fill() }
    if (stroke) {
      pen.strokeStyle = stroke
      pen.lineWidth = width
      pen.setLineDash(dash)
      pen.stroke()
      pen.setLineDash([])
    }
    pen.globalAlpha = 1
  }

  /** The ellipse of r standard deviations. @param {object} g a Gaussian @param {number} r
   * @param {object} look stroke, fill, width, dash, alpha */
  ellipse(g, r, look) {
    const turn = (i) => (2 * Math.PI * i) / AROUND
    const corners = Array.from({ length: AROUND }, (_, i) => place(g, r * Math.cos(turn(i)), r * Math.sin(turn(i))))
    this.path(corners, { ...look, closed: true })
  }

  /** Where something can be dragged. @param {[number, number]} at in CSS pixels */
  handle([px, py], colour, held) {
    const { pen, theme } = this
    pen.beginPath()
    pen.arc(px, py, held ? 11 : 9, 0, 7)
    pen.fillStyle = theme.ground
    pen.fill()
    pen.lineWidth = 3.5
    pen.strokeStyle = colour
    pen.stroke()
  }
}

/** Fit a canvas to its place on the page and clear it.
 * @param {HTMLCanvasElement} canvas @returns {{pen: CanvasRenderingContext2D, width: number, height: number}} */
export const blank = (canvas) => {
  const { clientWidth: width, clientHeight: height } = canvas, dense = window.devicePixelRatio || 1
  const [w, h] = [Math.round(width * dense), Math.round(height * dense)]
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h })
  const pen = canvas.getContext("2d")
  pen.setTransform(dense, 0, 0, dense, 0, 0)
  pen.clearRect(0, 0, width, height)
  return { pen, width, height }
}

/** Limits that hold all numbers with some room. @param {number[]} numbers @param {number} [room] a share */
export const limits = (numbers, room = 0.08) => {
  const low = Math.min(...numbers), high = Math.max(...numbers), more = (high - low || 1) * room
  return [low - more, high + more]
}
