// How the images look: ink, probabilities, nats, and a receptive field over them.
import { clamp } from "../shared/hand.js"
import { canvasOf, enlarge, grey, imageOf, resize, strokeLines } from "../shared/picture.js"

const UNDRAWN = [86, 103, 108]
const MOST_NATS = 4 // the brightest colour; more looks no brighter
// "inferno" of S. van der Walt and N. Smith, as in matplotlib
const HEAT = [[0, 0, 4], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]]
const GRID_SCALE = 3, GRID_GAP = 8

/** Images side by side in the grid of all. */
export const GRID_COLUMNS = 8

const heat = (share) => {
  const at = clamp(share, 0, 0.9999) * (HEAT.length - 1), k = Math.floor(at)
  return HEAT[k].map((c, i) => c + (HEAT[k + 1][i] - c) * (at - k))
}

/** @param {number} logit @returns {number} its probability */
export const sigmoid = (logit) => 1 / (1 + Math.exp(-logit))

/** -log p of what the pixel is, in nats, without overflow: log(1 + e^l) - x l. */
export const nats = (logit, ink) => Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - ink * logit

/** What can be shown of pixel k: its colour, and a legend [low, colours, high, words]. */
export const LOOKS = {
  image: { name: "Image", colour: (d, k) => grey(d.images[k]), legend: null },
  p: {
    name: "p of ink",
    colour: (d, k) => grey(sigmoid(d.logits[k] / d.temperature)),
    legend: ["0", "linear-gradient(to right, #000, #fff)", "1", "p of ink, given the pixels before"],
  },
  nats: {
    name: "Nats",
    colour: (d, k) => heat(nats(d.logits[k], d.images[k]) / MOST_NATS),
    legend: ["0", `linear-gradient(to right, ${HEAT.map((c) => `rgb(${c})`)})`, `${MOST_NATS}+`,
      "nats, −log p of the pixel as it is"],
  },
}

// One image at one canvas pixel each: `drawn` pixels are there, the others are blank.
const small = ({ look, drawn }, d, sample) => {
  const [, height, width] = d.shape, first = sample * height * width, shown = look === "p" ? drawn + 1 : drawn
  return canvasOf(imageOf(width, height, (k) => (k < shown ? LOOKS[look].colour(d, first + k) : UNDRAWN)))
}

const outline = (pen, index, width, cell, colour) => {
  Object.assign(pen, { lineWidth: 3, strokeStyle: colour })
  pen.strokeRect((index % width) * cell - 1.5, Math.floor(index / width) * cell - 1.5, cell + 3, cell + 3)
}

// Orange: what pulls; hatched: before the pixel, yet never seen; dimmed: not yet drawn by then.
const paintField = (pen, [, height, width], { pull, seen }, place, cell) => {
  const index = place.row * width + place.column
  for (let k = 0; k < height * width; k++) {
    const x = (k % width) * cell, y = Math.floor(k / width) * cell
    pen.fillStyle = k >= index ? "rgba(40, 52, 56, 0.8)"
      : seen[k] ? `rgba(255, 140, 0, ${0.12 + 0.78 * Math.sqrt(pull[k] / 255)})` : "rgba(30, 90, 200, 0.45)"
    pen.fillRect(x, y, cell, cell)
    if (k >= index || seen[k]) continue
    Object.assign(pen, { strokeStyle: "rgba(200, 220, 255, 0.8)", lineWidth: 1.5 })
    strokeLines(pen, [x, y + cell, x + cell, y])
  }
}

/** Paint the chosen image large. @param {object} d data @param {object} state what to show of it */
export const paintMain = (canvas, d, state) => {
  const { sample, drawn, place, subject, field } = state
  const [, height, width] = d.shape, cell = Math.max(4, Math.floor(616 / width)), pen = canvas.getContext("2d")
  resize(canvas, width * cell, height * cell)
  enlarge(pen, small(state, d, sample), 0, 0, cell)
  if (d.known) {
    pen.fillStyle = "#ff9d45"
    pen.fillRect(0, (d.known / width) * cell - 2, canvas.width, 4)
  }
  if (field) paintField(pen, d.shape, field, place, cell)
  // Cyan: the next to be drawn. Pink: the pixel that the text is about.
  if (drawn < height * width) outline(pen, drawn, width, cell, "#3fd6e8")
  if (place || drawn === height * width) outline(pen, subject, width, cell, "#ff3df2")
}

/** Paint all images small, the chosen one framed. */
export const paintGrid = (canvas, d, state) => {
  const [count, height, width] = d.shape, pen = canvas.getContext("2d")
  const columns = Math.min(count, GRID_COLUMNS), rows = Math.ceil(count / columns)
  const w = width * GRID_SCALE, h = height * GRID_SCALE
  resize(canvas, columns * (w + GRID_GAP), rows * (h + GRID_GAP))
  pen.clearRect(0, 0, canvas.width, canvas.height)
  for (let k = 0; k < count; k++) {
    const x = (k % columns) * (w + GRID_GAP) + GRID_GAP / 2
    const y = Math.floor(k / columns) * (h + GRID_GAP) + GRID_GAP / 2
    pen.fillStyle = "#ff3df2"
    if (k === state.sample) pen.fillRect(x - 4, y - 4, w + 8, h + 8)
    enlarge(pen, small(state, d, k), x, y, GRID_SCALE)
  }
}
