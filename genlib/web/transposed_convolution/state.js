// Everything that can be set on the page, and the same as text in the link.
import { LIMITS, nearest, outSide, range } from "./operation.js"

const MOST = LIMITS.n[1], MOST_KERNEL = LIMITS.k[1]
const LARGEST = 99 // of a cell, so that its number fits

/** The kernel at first; its upper left part where it is smaller. */
const KERNEL = [
  [1, 0, 2, 1, 0],
  [2, 1, 0, 0, 1],
  [0, 3, 1, 2, 0],
  [1, 0, 1, 1, 2],
  [0, 2, 0, 1, 1],
]

/** The three views together, each by itself, and two other subjects. */
export const VIEWS = ["all", "stamp", "slide", "matrix", "checkerboard", "layer"]
const ORDERS = ["input", "output"], SHOWN = ["T", "C"], MODELS = ["conv-vae-20", "dcgan-28"]

/** The state as the page opens: 2 x 2 to 4 x 4 by a 3 x 3 kernel, as in the overview's animation.
 *   x, w: 7 x 7 and 5 x 5 numbers, of which the upper left ones are used; `at`: steps done, -1 for
 *   all; `pin`: "o5" output cell 5, "i" input, "k" kernel, "e" matrix entry (row * columns + column);
 *   `show`: the matrix T (transposed) or C; `flat`: the checkerboard of an input of ones;
 *   `model` to `sum`: the real layer, z's seed, the operation, its map, and how many maps are summed. */
export const START = {
  view: "all", n: 2, k: 3, s: 1, p: 0, e: 0,
  x: Array.from({ length: MOST ** 2 }, (_, q) => (2 * Math.floor(q / MOST) + (q % MOST) + 1) % 5),
  w: KERNEL.flat(),
  order: "input", at: -1, pin: "o5", show: "T", flat: true,
  model: "conv-vae-20", seed: 0, op: 3, map: 0, sum: -1,
}

const crop = (values, side, from) =>
  Array.from({ length: side * side }, (_, q) => values[Math.floor(q / side) * from + (q % side)])

/** The used part of the input. @param {typeof START} state @returns {number[]} n * n */
export const inputOf = (state) => crop(state.x, state.n, MOST)

/** The used part of the kernel. @param {typeof START} state @returns {number[]} k * k */
export const kernelOf = (state) => crop(state.w, state.k, MOST_KERNEL)

const into = (values, side, part, n) => {
  const all = values.slice()
  part.forEach((v, q) => { all[Math.floor(q / n) * side + (q % n)] = v })
  return all
}

/** @param {typeof START} state @param {number[]} part n * n numbers @returns {number[]} all of x */
export const withInput = (state, part) => into(state.x, MOST, part, state.n)

/** @param {typeof START} state @param {number[]} part k * k numbers @returns {number[]} all of w */
export const withKernel = (state, part) => into(state.w, MOST_KERNEL, part, state.k)

/** A number that a cell can hold: at most two decimals, from -99 to 99. @param {number} v */
export const cellValue = (v) => Math.round(Math.min(LARGEST, Math.max(-LARGEST, v)) * 100) / 100

/** How many steps there are: stamps, or output cells. @param {typeof START} state */
export const stepsOf = (state) => (state.order === "input" ? state.n ** 2 : outSide(state) ** 2)

/** How many steps are done. @param {typeof START} state */
export const stepOf = (state) => (state.at < 0 ? stepsOf(state) : Math.min(state.at, stepsOf(state)))

/** What is pinned. @param {typeof START} state @returns {{kind: string, cell: number} | null} null for
 *   nothing, or for a cell that this setting lacks */
export const pinOf = (state) => {
  const match = /^([oike])(\d+)$/.exec(state.pin)
  if (!match) return null
  const outputs = outSide(state) ** 2, inputs = state.n ** 2
  const counts = { o: outputs, i: inputs, k: state.k ** 2, e: outputs * inputs }
  const cell = Number(match[2])
  return cell < counts[match[1]] ? { kind: match[1], cell } : null
}

const whole = (low, high) => (text) => {
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN
  return value >= low && value <= high ? value : undefined
}
const oneOf = (words) => (text) => (words.includes(text) ? text : undefined)
const numbers = (text) => {
  const values = text.split(" ").map(Number)
  return text && values.every(Number.isFinite) ? values.map(cellValue) : undefined
}

const READ = {
  view: oneOf(VIEWS), n: whole(...LIMITS.n), k: whole(...LIMITS.k), s: whole(...LIMITS.s),
  p: whole(0, 99), e: whole(0, 99), x: numbers, w: numbers,
  order: oneOf(ORDERS), at: whole(-1, 9999), pin: (text) => (/^([oike]\d{1,6}|none)$/.test(text) ? text : undefined),
  show: oneOf(SHOWN), flat: (text) => ({ yes: true, no: false })[text],
  model: oneOf(MODELS), seed: whole(0, 999999), op: whole(0, 99), map: whole(0, 9999), sum: whole(-1, 9999),
}

/** The state that a link names. What it can't read, and what PyTorch would refuse, keeps its start.
 * @param {Object<string, string | undefined>} given texts by name @returns {typeof START} */
export const parse = (given) => {
  const state = { ...START }
  for (const [name, read] of Object.entries(READ)) state[name] = read(String(given[name] ?? "")) ?? START[name]
  Object.assign(state, nearest(state))
  for (const [name, side, put] of [["x", state.n, withInput], ["w", state.k, withKernel]]) {
    const part = state[name]
    if (part === START[name]) continue
    state[name] = START[name]
    if (part.length === side * side) state[name] = put(state, part)
  }
  return state
}

const WRITE = {
  x: (state) => inputOf(state).join(" "),
  w: (state) => kernelOf(state).join(" "),
  flat: (state) => (state.flat ? "yes" : "no"),
}

/** The state as texts, of which those are missing that are as they start. @param {typeof START} state
 * @returns {Object<string, string>} */
export const asText = (state) => {
  const found = {}
  for (const name of Object.keys(READ)) {
    const write = WRITE[name] ?? ((any) => String(any[name]))
    // Cells start with the same numbers in every size.
    const text = write(state), start = write({ ...state, [name]: START[name] })
    if (text !== start) found[name] = text
  }
  return found
}

/** A state with some numbers changed: padding and output padding give way where they must, and what
 * was for the old size goes.
 * @param {typeof START} state @param {Object<string, number>} change @returns {typeof START} */
export const changed = (state, change) => {
  const next = { ...state, ...change }
  Object.assign(next, nearest(next), { at: -1 })
  if (outSide(next) !== outSide(state) || next.n !== state.n || next.k !== state.k) {
    if (pinOf(state)?.kind !== "o") next.pin = "none"
    else next.pin = `o${moved(pinOf(state).cell, outSide(state), outSide(next))}`
  }
  return next
}

// The cell in the same row and column of a square of another side, as near as there is one.
const moved = (cell, side, next) =>
  Math.min(Math.floor(cell / side), next - 1) * next + Math.min(cell % side, next - 1)

/** What a stepper offers. @param {typeof START} state @param {string} name */
export const offered = (state, name) => range(state, name)
