// The page's classifiers that need no server: colours follow a click at once, and the page as one file
// learns by itself. The same formulas as genlib/explore/few_labels.py, with which they are compared.

const ROUNDS = 60, ALPHA = 0.9, TINY = 1e-30

/** What can be learnt from, as the server sends it.
 * @typedef {object} Material
 * @property {number} n pictures on the map @property {number} m further ones, which only measure
 * @property {number} near how many of the map's pictures each of the others takes a mean of
 * @property {Int32Array} starts (n + 1) @property {Int32Array} ends @property {Float32Array} flows the
 *   graph S by rows: picture i passes on to ends[starts[i]], ..., ends[starts[i + 1] - 1]
 * @property {Int32Array} around (m, near) @property {Uint8Array} truth (m) their true classes
 * @property {number} d numbers in a code, 0 without codes
 * @property {Float32Array} [pool] codes (n, d) @property {Float32Array} [test] codes (m, d) */

/** Class probabilities. @typedef {{pool: Float32Array, test: Float32Array}} Guess rows of `classes` numbers */

// Rows that sum to 1; where nothing arrived, even.
const shares = (weights, classes) => {
  for (let at = 0; at < weights.length; at += classes) {
    let total = 0
    for (let c = 0; c < classes; c++) total += weights[at + c]
    for (let c = 0; c < classes; c++) weights[at + c] = total > TINY ? weights[at + c] / total : 1 / classes
  }
  return weights
}

// What flows from the pictures labelled as one class: (n). The classes don't mix until the end, so that
// a click changes one of these columns.
const flowFrom = ({ n, starts, ends, flows }, rows) => {
  const given = new Float32Array(n)
  for (const row of rows) given[row] = 1 - ALPHA
  let now = given.slice(), next = new Float32Array(n)
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0, e = 0; i < n; i++) {
      let sum = given[i]
      for (const end = starts[i + 1]; e < end; e++) sum = Math.fround(sum + ALPHA * flows[e] * now[ends[e]])
      next[i] = sum
    }
    [now, next] = [next, now]
  }
  return now
}

const columns = new WeakMap() // material -> for each class: the rows that were labelled so, and their flow

const columnOf = (material, label, rows) => {
  if (!columns.has(material)) columns.set(material, new Map())
  const kept = columns.get(material), key = rows.join()
  if (kept.get(label)?.key !== key) kept.set(label, { key, column: flowFrom(material, rows) })
  return kept.get(label).column
}

const spread = (material, pairs, classes) => {
  const { n, m, near, around } = material, pool = new Float32Array(n * classes)
  const known = [...new Set(pairs.map(([, label]) => label))]
  for (const label of known) {
    const column = columnOf(material, label, pairs.filter(([, y]) => y === label).map(([row]) => row))
    for (let i = 0; i < n; i++) pool[i * classes + label] = column[i]
  }
  shares(pool, classes)
  const test = new Float32Array(m * classes)
  for (let j = 0; j < m; j++) {
    for (let k = 0; k < near; k++) {
      const from = around[near * j + k] * classes
      for (let c = 0; c < classes; c++) test[j * classes + c] += pool[from + c] / near
    }
  }
  return { pool, test }
}

const apart = (a, i, b, j, d) => {
  let sum = 0
  for (let k = 0, p = i * d, q = j * d; k < d; k++) sum += (a[p + k] - b[q + k]) ** 2
  return sum
}

const nearestLabel = ({ n, m, d, pool, test }, pairs, classes) => {
  const of = (codes, count) => {
    const found = new Float32Array(count * classes), close = new Float64Array(classes)
    for (let i = 0; i < count; i++) {
      close.fill(Infinity)
      for (const [row, label] of pairs) close[label] = Math.min(close[label], apart(codes, i, pool, row, d))
      for (let c = 0; c < classes; c++) found[i * classes + c] = 1 / Math.max(close[c], 1e-9)
    }
    return shares(found, classes)
  }
  return { pool: of(pool, n), test: of(test, m) }
}

/** name, as on the server -> a function of material, pairs [row, class] and the number of classes */
export const LEARNERS = { "Label spreading": spread, "Nearest neighbour": nearestLabel }

/** The classifiers that this material is enough for. @param {Material} material */
export const learnersFor = (material) =>
  Object.keys(LEARNERS).filter((name) => name !== "Nearest neighbour" || material.d > 0)

/** The likeliest class of each row and how likely it is, from 0 to 255.
 * @param {Float32Array} found @param {number} classes @returns {{guesses: Uint8Array, sure: Uint8Array}} */
export const likeliest = (found, classes) => {
  const guesses = new Uint8Array(found.length / classes), sure = new Uint8Array(guesses.length)
  for (let i = 0; i < guesses.length; i++) {
    let best = 0
    for (let c = 1; c < classes; c++) if (found[i * classes + c] > found[i * classes + best]) best = c
    guesses[i] = best
    sure[i] = Math.round(255 * found[i * classes + best])
  }
  return { guesses, sure }
}

/** The line above the map. @param {Guess} guess @param {Uint8Array} truth @param {number} classes
 * @param {number} labels how many there are */
export const scoreOf = ({ test }, truth, classes, labels) => {
  const { guesses } = likeliest(test, classes), n = truth.length
  const right = guesses.reduce((sum, guess, i) => sum + (guess === truth[i]), 0) / n
  const percent = (x) => `${(100 * x).toFixed(1)}%`, error = Math.sqrt((right * (1 - right)) / n)
  const count = `${labels} label${labels > 1 ? "s" : ""}`
  return `${count}: ${percent(right)} ± ${percent(error)} of ${n.toLocaleString("en")} other digits right`
}

/** What to label next: the picture whose two likeliest classes are nearest to each other.
 * @param {Float32Array} pool @param {number[][]} pairs @param {string[]} names of the classes
 * @returns {{row: number, why: string}} row -1: all have a label */
export const leastCertain = (pool, pairs, names) => {
  const classes = names.length, labelled = new Set(pairs.map(([row]) => row)), of = (row, c) => pool[row * classes + c]
  let found = { row: -1, margin: Infinity }
  for (let row = 0; row < pool.length / classes; row++) {
    if (labelled.has(row)) continue
    let [a, b] = of(row, 1) > of(row, 0) ? [1, 0] : [0, 1] // the likeliest two
    for (let c = 2; c < classes; c++) {
      if (of(row, c) > of(row, a)) [a, b] = [c, a]
      else if (of(row, c) > of(row, b)) b = c
    }
    const margin = of(row, a) - of(row, b)
    if (margin < found.margin) found = { row, margin, a, b }
  }
  if (found.row < 0) return { row: -1, why: "Every digit has a label." }
  const { row, a, b } = found, said = (c) => `${names[c]} with ${Math.round(100 * of(row, c))}%`
  return { row, why: `No digit is less certain: ${said(a)}, ${said(b)}.` }
}
