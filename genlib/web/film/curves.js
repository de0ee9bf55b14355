// Three small charts under the film: objective, probability, gradient norm, one line per class.
import { penFor } from "../shared/picture.js"

const CHART_HEIGHT = 150, LEAST_WIDTH = 230, PAD = { left: 8, right: 10, top: 26, bottom: 20 }

/** The colour of a class among those that are shown; a single one has the accent. A class has the
 * same colour with every network, unless there is only one class.
 * @param {number} cls @param {number[]} classes @param {object} theme of theme.js
 * @param {number} names how many classes a network has; class c of network k is number k * names + c */
export const colourOf = (cls, classes, theme, names) => {
  if (classes.length < 2) return theme.link
  const own = [...new Set(classes.map((c) => c % names))]
  const at = own.length > 1 ? own.indexOf(cls % names) : classes.indexOf(cls)
  return theme.classes[at % theme.classes.length]
}

const range = (lines) => {
  let low = Infinity, high = -Infinity
  for (const { y } of lines) for (const v of y) if (Number.isFinite(v)) {
    low = Math.min(low, v)
    high = Math.max(high, v)
  }
  return high > low ? [low, high] : [low - 1, low + 1]
}

const short = (v) => (Math.abs(v) >= 1e5 || (v && Math.abs(v) < 1e-3)
  ? v.toExponential(1) : v.toLocaleString("en", { maximumSignificantDigits: 3 }))

const drawLine = (pen, steps, values, x, y) => {
  pen.beginPath()
  let down = false
  steps.forEach((s, t) => {
    const v = values[t]
    if (!Number.isNaN(v)) down ? pen.lineTo(x(s), y(v)) : pen.moveTo(x(s), y(v))
    down = !Number.isNaN(v)
  })
  pen.stroke()
}

const drawPanel = (pen, box, title, steps, lines, fixed, theme) => {
  const left = box.x + PAD.left, right = box.x + box.w - PAD.right
  const top = box.y + PAD.top, bottom = box.y + box.h - PAD.bottom
  const [low, high] = fixed || range(lines)
  const first = steps[0], last = steps.at(-1)
  const x = (s) => left + ((right - left) * (s - first)) / Math.max(1, last - first)
  const y = (v) => bottom - ((bottom - top) * (v - low)) / (high - low)
  Object.assign(pen, { font: `600 13px ${theme.font}`, fillStyle: theme.text })
  Object.assign(pen, { textAlign: "left", textBaseline: "top" })
  pen.fillText(title, left, box.y + 4)
  Object.assign(pen, { strokeStyle: theme.line, lineWidth: 1 })
  pen.strokeRect(left, top, right - left, bottom - top)
  pen.lineWidth = 2
  for (const line of lines) {
    pen.strokeStyle = line.colour
    pen.setLineDash(line.dash)
    drawLine(pen, steps, line.y, x, y)
  }
  pen.setLineDash([])
  Object.assign(pen, { font: `12px ${theme.font}`, textAlign: "right" })
  pen.fillText(`${short(low)} to ${short(high)}`, right, box.y + 5)
  pen.fillText(`step ${Math.round(last).toLocaleString("en")}`, right, bottom + 4)
}

/** Draw the charts that have a line.
 * @param {HTMLCanvasElement} canvas
 * @param {{curve_classes: number[], steps: Float32Array, table: Float32Array, names: number}} curves
 *   steps (T,); table (3, K, T) as Curves in Python gives it, NaN where a class was no target;
 *   names: how many classes a network has. Lines of a second network are dashed.
 * @param {string[]} titles @param {object} theme of theme.js
 * @param {number} room CSS pixels; what is wider scrolls sideways */
export const drawCurves = (canvas, { curve_classes: classes, steps, table, names }, titles, theme, room) => {
  const k = classes.length, n = steps.length
  canvas.style.display = n > 1 ? "" : "none"
  if (n < 2) return
  const panels = titles.map((title, j) => ({ title, j })).filter(({ j }) =>
    table.subarray(j * k * n, (j + 1) * k * n).some((v) => !Number.isNaN(v)))
  const w = Math.max(room / Math.max(1, panels.length), LEAST_WIDTH), wide = w * panels.length
  const pen = penFor(canvas, wide, CHART_HEIGHT)
  Object.assign(canvas.style, { width: `${wide}px`, height: `${CHART_HEIGHT}px` })
  pen.clearRect(0, 0, wide, CHART_HEIGHT)
  panels.forEach(({ title, j }, at) => {
    const box = { x: at * w, y: 0, w, h: CHART_HEIGHT }
    const lines = classes.map((cls, c) => ({ colour: colourOf(cls, classes, theme, names),
      dash: cls < names ? [] : [5, 4],
      y: table.subarray((j * k + c) * n, (j * k + c + 1) * n) }))
    drawPanel(pen, box, title, steps, lines, j === 1 ? [0, 1] : null, theme)
  })
}
