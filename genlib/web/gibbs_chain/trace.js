import { penFor } from "../shared/picture.js"

const nats = (f) => f.toLocaleString("en").replace("-", "−")

const ticks = (low, high) => {
  const rough = (high - low || 1) / 4, power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough)
  const found = []
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(Number((k * step).toPrecision(6)))
  return found
}

/** Free energy of each chain, step by step, over the band in which test images lie.
 * @param {HTMLCanvasElement} canvas @param {number[][]} trace in nats, a list for each chain
 * @param {[number, number]} band @param {object} theme of theme.js
 * @param {number} most steps from left to right */
export const paintTrace = (canvas, trace, band, theme, most) => {
  const width = canvas.clientWidth || 420, height = canvas.clientHeight || 220
  const pen = penFor(canvas, width, height), all = trace.flat(), [low, high] = band
  pen.clearRect(0, 0, width, height)
  const bottom = Math.min(low, ...all), top = Math.max(high, ...all), margin = 0.06 * (top - bottom || 1)
  const left = 58, x = (k) => left + (k / (most - 1)) * (width - left - 6)
  const y = (f) => height - 8 - ((f - bottom + margin) / (top - bottom + 2 * margin)) * (height - 16)
  Object.assign(pen, { font: `14px ${theme.font}`, globalAlpha: 0.25, fillStyle: "#e0912f" })
  pen.fillRect(left, y(high), width - left - 6, Math.max(2, y(low) - y(high)))
  Object.assign(pen, { globalAlpha: 1, fillStyle: theme.text, textAlign: "right" })
  for (const f of ticks(bottom, top)) pen.fillText(nats(f), left - 6, y(f) + 4)
  Object.assign(pen, { strokeStyle: theme.accent, lineWidth: trace.length > 1 ? 1 : 1.6 })
  for (const line of trace) {
    pen.beginPath()
    line.forEach((f, k) => pen.lineTo(x(k), y(f)))
    if (line.length === 1) pen.arc(x(0), y(line[0]), 2, 0, 7)
    pen.stroke()
  }
  // Last, on an edge of the background: the curves cross it.
  pen.textAlign = "right"
  Object.assign(pen, { strokeStyle: theme.ground, lineWidth: 4, lineJoin: "round" })
  for (const write of ["strokeText", "fillText"]) pen[write]("test images, 5 to 95%", width - 12, Math.max(14, y(high) - 4))
}
