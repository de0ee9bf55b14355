// A transposed convolution of one channel, in three ways, and what belongs to it.
//
// Input x: n x n, kernel w: k x k, stride s, padding p, output padding e (PyTorch's output_padding):
//
//     y[i * s - p + a][j * s - p + b]  +=  x[i][j] * w[a][b]
//     side m = (n - 1) * s - 2 * p + k + e
//
// All arrays are row by row. Tested against torch.nn.functional.conv_transpose2d.

/** @typedef {{n: number, k: number, s: number, p: number, e: number}} Setting */

/** What the page offers. */
export const LIMITS = { n: [1, 7], k: [1, 5], s: [1, 4] }

/** The output's side. @param {Setting} setting */
export const outSide = ({ n, k, s, p, e }) => (n - 1) * s - 2 * p + k + e

/** The smallest and largest value that PyTorch takes for one number, given the others: output padding
 * stays below the stride, and the output has at least one cell.
 * @param {Setting} setting @param {"n" | "k" | "s" | "p" | "e"} name @returns {[number, number]} */
export const range = (setting, name) => {
  if (name === "p") return [0, Math.floor((outSide({ ...setting, p: 0 }) - 1) / 2)]
  if (name === "e") return [0, setting.s - 1]
  return LIMITS[name]
}

const within = (x, [low, high]) => Math.min(high, Math.max(low, x))

/** The nearest valid setting: padding and output padding give way. @param {Setting} setting
 * @returns {Setting} */
export const nearest = (setting) => {
  const found = { ...setting }
  for (const name of ["n", "k", "s", "e", "p"]) found[name] = within(found[name], range(found, name))
  return found
}

/** Call `visit(input, kernel, output)` with the cells of every product that reaches the output. */
const products = (setting, visit) => {
  const { n, k, s, p } = setting, m = outSide(setting)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let a = 0; a < k; a++) {
        const row = i * s - p + a
        if (row < 0 || row >= m) continue
        for (let b = 0; b < k; b++) {
          const column = j * s - p + b
          if (column >= 0 && column < m) visit(i * n + j, a * k + b, row * m + column)
        }
      }
}

/** View 1: every input cell stamps its kernel, as strongly as its value says.
 * @param {Setting} setting @param {ArrayLike<number>} x n * n @param {ArrayLike<number>} w k * k
 * @param {number} [stamps] only the first so many @returns {Float64Array} m * m */
export const stamp = (setting, x, w, stamps = Infinity) => {
  const y = new Float64Array(outSide(setting) ** 2)
  products(setting, (i, t, o) => { if (i < stamps) y[o] += x[i] * w[t] })
  return y
}

/** The input spread out, as view 2 sees it: `s - 1` zeros between cells and `k - 1 - p` around them,
 * more below and to the right for output padding. A negative border crops.
 * @param {Setting} setting
 * @returns {{side: number, border: number, at: (row: number, column: number) => number}} its side,
 *   and the input cell at a place, or -1 for a zero */
export const spread = (setting) => {
  const { n, k, s, p } = setting, border = k - 1 - p
  const place = (q) => {
    const i = (q - border) / s
    return Number.isInteger(i) && i >= 0 && i < n ? i : -1
  }
  return {
    side: outSide(setting) + k - 1,
    border,
    at: (row, column) => {
      const i = place(row), j = place(column)
      return i < 0 || j < 0 ? -1 : i * n + j
    },
  }
}

/** The kernel, turned by 180 degrees. @param {ArrayLike<number>} w */
export const turned = (w) => Array.from(w).reverse()

/** View 2: an ordinary convolution, stride 1, of the spread-out input with the turned kernel.
 * @param {Setting} setting @param {ArrayLike<number>} x @param {ArrayLike<number>} w
 * @param {number} [cells] only the first so many outputs @returns {Float64Array} m * m */
export const slide = (setting, x, w, cells = Infinity) => {
  const { k } = setting, m = outSide(setting), { at } = spread(setting), flipped = turned(w)
  const y = new Float64Array(m * m)
  for (let o = 0; o < Math.min(y.length, cells); o++) {
    const row = Math.floor(o / m), column = o % m
    for (let t = 0; t < k * k; t++) {
      const i = at(row + Math.floor(t / k), column + (t % k))
      if (i >= 0) y[o] += x[i] * flipped[t]
    }
  }
  return y
}

/** View 3: y = C' x. @param {Setting} setting
 * @returns {Int16Array} of m * m rows and n * n columns: which kernel cell stands there, or -1 */
export const matrix = (setting) => {
  const columns = setting.n ** 2, cells = new Int16Array(outSide(setting) ** 2 * columns).fill(-1)
  products(setting, (i, t, o) => { cells[o * columns + i] = t })
  return cells
}

/** C y: what the ordinary convolution makes of the output. Its shape is the input's, its numbers aren't.
 * @param {Setting} setting @param {ArrayLike<number>} y m * m @param {ArrayLike<number>} w
 * @returns {Float64Array} n * n */
export const convolve = (setting, y, w) => {
  const back = new Float64Array(setting.n ** 2)
  products(setting, (i, t, o) => { back[i] += y[o] * w[t] })
  return back
}

/** All products, sorted by where they go and whence they come.
 * @param {Setting} setting
 * @returns {{to: [number, number][][], from: [number, number][][], by: [number, number][][]}}
 *   to[output]: [input, kernel] pairs; from[input]: [output, kernel]; by[kernel]: [input, output] */
export const links = (setting) => {
  const lists = (count) => Array.from({ length: count }, () => [])
  const to = lists(outSide(setting) ** 2), from = lists(setting.n ** 2), by = lists(setting.k ** 2)
  products(setting, (i, t, o) => {
    to[o].push([i, t])
    from[i].push([o, t])
    by[t].push([i, o])
  })
  return { to, from, by }
}

/** How many stamps reach each output cell. @param {Setting} setting @returns {number[]} m * m */
export const overlap = (setting) => links(setting).to.map((pairs) => pairs.length)

/** Every cell repeated s x s times. @param {{n: number, s: number}} setting
 * @param {ArrayLike<number>} x @returns {Float64Array} (n * s) ** 2 */
export const enlarged = ({ n, s }, x) => Float64Array.from({ length: (n * s) ** 2 }, (_, q) =>
  x[Math.floor(q / (n * s) / s) * n + Math.floor((q % (n * s)) / s)])

/** The other way to enlarge: upsampling by s, then a convolution that keeps the size.
 * @param {Setting} setting n, k and s of it @param {ArrayLike<number>} x @param {ArrayLike<number>} w
 * @returns {{y: Float64Array, count: number[]}} (n * s) ** 2 cells, and of how many products each is */
export const upsampled = (setting, x, w) => {
  const { n, k, s } = setting, side = n * s, large = enlarged(setting, x)
  const before = Math.floor((k - 1) / 2) // as PyTorch's padding="same"
  const y = new Float64Array(side * side), count = Array(side * side).fill(0)
  for (let o = 0; o < y.length; o++)
    for (let t = 0; t < k * k; t++) {
      const row = Math.floor(o / side) - before + Math.floor(t / k), column = (o % side) - before + (t % k)
      if (Math.min(row, column) < 0 || Math.max(row, column) >= side) continue
      y[o] += large[row * side + column] * w[t]
      count[o]++
    }
  return { y, count }
}

/** Smallest and largest value at least `edge` cells away from the border, where there is such a cell.
 * @param {ArrayLike<number>} values @param {number} edge @returns {[number, number] | null} */
export const inner = (values, edge) => {
  const side = Math.sqrt(values.length), found = Array.from(values).filter((_, q) =>
    Math.min(Math.floor(q / side), q % side) >= edge && Math.max(Math.floor(q / side), q % side) < side - edge)
  return found.length ? [Math.min(...found), Math.max(...found)] : null
}
