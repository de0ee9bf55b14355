// What belongs together: the cells that a cell is made of or takes part in, and the sentence for it.
import { outSide, spread } from "./operation.js"
import { factor, place, say } from "./words.js"

/** A cell that is pointed at or pinned: output, input, kernel, matrix entry, or a zero of the
 * spread-out input. @typedef {{kind: "o" | "i" | "k" | "e" | "z", cell: number}} Focus */

const main = (cell) => new Map([[cell, "main"]])
const parts = (pairs, which) => new Map(pairs.map((pair) => [pair[which], "part"]))
const none = new Map()

const MARKS = {
  o: ({ to }, cell) => ({ outputs: main(cell), inputs: parts(to[cell], 0), kernels: parts(to[cell], 1) }),
  i: ({ from }, cell) => ({ inputs: main(cell), outputs: parts(from[cell], 0), kernels: parts(from[cell], 1) }),
  k: ({ by }, cell) => ({ kernels: main(cell), inputs: parts(by[cell], 0), outputs: parts(by[cell], 1) }),
  e: ({ to }, cell, inputs) => {
    const [o, i] = [Math.floor(cell / inputs), cell % inputs], hit = to[o].find(([from]) => from === i)
    return { outputs: main(o), inputs: main(i), kernels: hit ? main(hit[1]) : none }
  },
  z: () => ({ outputs: none, inputs: none, kernels: none }),
}

/** The marked cells of the input, the kernel and the output.
 * @param {import("./operation.js").Setting} setting
 * @param {ReturnType<typeof import("./operation.js").links>} links @param {Focus | null} focus
 * @returns {{inputs: Map<number, string>, kernels: Map<number, string>, outputs: Map<number, string>}} */
export const marksOf = (setting, links, focus) =>
  focus ? MARKS[focus.kind](links, focus.cell, setting.n ** 2) : { inputs: none, kernels: none, outputs: none }

/** The one marked cell of a map, or null. @param {Map<number, string>} marks */
export const mainOf = (marks) => {
  for (const [cell, kind] of marks) if (kind === "main") return cell
  return null
}

/** The sum that makes an output cell. @param {object} scene setting, links, x, w
 * @param {number} cell @param {(input: number, output: number) => boolean} done whether a product has
 *   been added @returns {{text: string, done: boolean}[]} its parts, to stand one after the other */
export const sumOf = ({ setting, links, x, w }, cell, done) => {
  const m = outSide(setting), terms = links.to[cell], head = { text: `y${place(cell, m)} = `, done: true }
  if (!terms.length) return [head, { text: "0: no stamp reaches this cell", done: true }]
  const found = [head]
  terms.forEach(([i, t], q) => found.push({
    text: `${q ? " + " : ""}${factor(x[i])}·${factor(w[t])}`, done: done(i, cell), input: i, kernel: t,
  }))
  const total = terms.reduce((sum, [i, t]) => sum + (done(i, cell) ? x[i] * w[t] : 0), 0)
  const missing = terms.filter(([i]) => !done(i, cell)).length
  found.push({ text: ` = ${say(total)}${missing ? ` so far, ${missing} to come` : ""}`, done: true, total: true })
  return found
}

const plain = (text) => [{ text, done: true }]

const SAY = {
  o: (scene, cell, done) => sumOf(scene, cell, done),
  i: ({ setting, links, x }, cell) => plain(
    `x${place(cell, setting.n)} = ${say(x[cell])} stamps ${factor(x[cell])} · kernel. ` +
    `It reaches ${links.from[cell].length} output cells, and is one column of Cᵀ.`),
  k: ({ setting, links, w }, cell) => plain(
    `w${place(cell, setting.k)} = ${say(w[cell])} stands in ${links.by[cell].length} entries of Cᵀ: ` +
    "once for each input cell whose stamp keeps it inside the output."),
  e: (scene, cell) => {
    const { setting, links, w } = scene, inputs = setting.n ** 2
    const o = Math.floor(cell / inputs), i = cell % inputs, hit = links.to[o].find(([from]) => from === i)
    const where = `Row y${place(o, outSide(setting))}, column x${place(i, setting.n)}`
    return plain(hit ? `${where}: the kernel cell w${place(hit[1], setting.k)} = ${say(w[hit[1]])}.`
      : `${where}: 0. The stamp of this input cell doesn't reach this output cell.`)
  },
  z: ({ setting }, cell) => {
    const { side, border } = spread(setting), last = (setting.n - 1) * setting.s + border
    const [row, column] = [Math.floor(cell / side), cell % side]
    const inside = Math.min(row, column) >= border && Math.max(row, column) <= last
    return plain(inside ? `A zero between two input cells: stride ${setting.s} puts ${setting.s - 1} between neighbours.`
      : `A zero of the border: kernel − 1 − padding = ${setting.k - 1 - setting.p} on each side` +
        (setting.e ? `, and ${setting.e} more below and to the right: the output padding.` : "."))
  },
}

/** The sentence about a cell. @param {object} scene @param {Focus} focus
 * @param {(input: number, output: number) => boolean} done @returns {{text: string, done: boolean}[]} */
export const sentence = (scene, focus, done) => SAY[focus.kind](scene, focus.cell, done)
