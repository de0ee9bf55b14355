// Draws what a study shows: D's belief, G's mesh, the points, the arrows.
import { CELLS, MESH, REACH } from "./study.js"

const ARROWS = 120, HEAD_PX = 5
const ARROW = 0.1 // of the canvas: the longest
const channels = (colour) => colour.match(/[\da-f]{2}/gi).map((part) => parseInt(part, 16))

/** Colours of real and forged points. @param {{classes: string[]}} theme */
export const coloursOf = ({ classes }) => ({ real: classes[0], forged: classes[1] })

/** A place of the plane on a canvas of `side` pixels, and back. */
export const across = (x, side) => ((x / REACH + 1) / 2) * side
export const down = (y, side) => ((1 - y / REACH) / 2) * side
export const placeAt = (left, top) => [(2 * left - 1) * REACH, (1 - 2 * top) * REACH]

/** D's belief as a picture of CELLS by CELLS pixels: real points' colour where it believes, forged ones'
 * where it doesn't, the ground where it can't tell. */
export class Ground {
  constructor() {
    this.canvas = document.createElement("canvas")
    this.canvas.width = this.canvas.height = CELLS
    this.context = this.canvas.getContext("2d")
    this.image = this.context.createImageData(CELLS, CELLS)
  }
  paint(belief, theme) {
    const { real, forged } = coloursOf(theme)
    const [yes, no, middle] = [real, forged, theme.ground].map(channels), { data } = this.image
    for (let row = 0; row < CELLS; row++) {
      for (let column = 0; column < CELLS; column++) {
        const b = belief[(CELLS - 1 - row) * CELLS + column], far = Math.abs(2 * b - 1) * 0.7
        const to = b > 0.5 ? yes : no, at = 4 * (row * CELLS + column)
        for (let c = 0; c < 3; c++) data[at + c] = middle[c] + far * (to[c] - middle[c])
        data[at + 3] = 255
      }
    }
    this.context.putImageData(this.image, 0, 0)
  }
}

const dots = (pen, points, side, size, colour) => {
  pen.fillStyle = colour
  for (let i = 0; i < points.length; i += 2) {
    pen.fillRect(across(points[i], side) - size / 2, down(points[i + 1], side) - size / 2, size, size)
  }
}

const lines = (pen, mesh, side) => {
  const at = (row, column) => {
    const i = 2 * (row * (MESH + 1) + column)
    return [across(mesh[i], side), down(mesh[i + 1], side)]
  }
  pen.beginPath()
  for (let a = 0; a <= MESH; a++) {
    for (const point of [(b) => at(a, b), (b) => at(b, a)]) {
      pen.moveTo(...point(0))
      for (let b = 1; b <= MESH; b++) pen.lineTo(...point(b))
    }
  }
  pen.stroke()
}

const arrows = (pen, from, pulls, side) => {
  let longest = 1e-9
  for (let i = 0; i < pulls.length; i += 2) longest = Math.max(longest, Math.hypot(pulls[i], pulls[i + 1]))
  const scale = (ARROW * side) / longest
  pen.beginPath()
  for (let i = 0; i < 2 * ARROWS; i += 2) {
    const x = across(from[i], side), y = down(from[i + 1], side)
    const dx = pulls[i] * scale, dy = -pulls[i + 1] * scale, length = Math.hypot(dx, dy)
    if (length < 2) continue
    pen.moveTo(x, y)
    pen.lineTo(x + dx, y + dy)
    const head = Math.min(HEAD_PX, length / 2)
    for (const turn of [2.6, -2.6]) {
      const angle = Math.atan2(dy, dx) + turn
      pen.moveTo(x + dx, y + dy)
      pen.lineTo(x + dx + head * Math.cos(angle), y + dy + head * Math.sin(angle))
    }
  }
  pen.stroke()
}

/** @param {CanvasRenderingContext2D} pen @param {number} side of the canvas in CSS pixels
 * @param {object} shown what study.js gives @param {Set<string>} hidden layers
 * @param {object} theme @param {Ground} ground */
export const paint = (pen, side, shown, hidden, theme, ground) => {
  const { real, forged } = coloursOf(theme)
  pen.fillStyle = theme.ground
  pen.fillRect(0, 0, side, side)
  pen.imageSmoothingEnabled = true
  if (!hidden.has("colour")) pen.drawImage(ground.canvas, 0, 0, side, side)
  if (!hidden.has("mesh")) {
    pen.strokeStyle = theme.text
    pen.globalAlpha = 0.28
    pen.lineWidth = 1
    lines(pen, shown.mesh, side)
    pen.globalAlpha = 1
  }
  const size = Math.max(2, side / 170)
  if (!hidden.has("real")) dots(pen, shown.real, side, size, real)
  if (!hidden.has("forged")) dots(pen, shown.samples, side, size, forged)
  if (!hidden.has("arrows")) {
    pen.strokeStyle = theme.text
    pen.lineWidth = 1.2
    arrows(pen, shown.samples, shown.arrows, side)
  }
}
