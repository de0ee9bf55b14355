// Two ways to enlarge, side by side: which cells get more stamps than others, and what that does.
import { inner, outSide, overlap, stamp, upsampled } from "./operation.js"
import { Grid } from "./grid.js"
import { say } from "./words.js"

export const HTML = `
  <div class="way"><h4>Transposed convolution</h4>
    <div class="pair"><figure><figcaption>Stamps per output cell</figcaption><canvas class="overlap" tabindex="0"
        aria-label="How many stamps reach each output cell"></canvas></figure>
      <figure><figcaption class="of"></figcaption><canvas class="result" tabindex="0" aria-label="Its output"></canvas></figure></div>
    <p class="says"></p></div>
  <div class="way"><h4 class="other"></h4>
    <div class="pair"><figure><figcaption>Products per output cell</figcaption><canvas class="count" tabindex="0"
        aria-label="How many products make each output cell"></canvas></figure>
      <figure><figcaption class="of"></figcaption><canvas class="smooth" tabindex="0" aria-label="Its output"></canvas></figure></div>
    <p class="says"></p></div>
  <label class="flat"><input type="checkbox"> an input of ones, instead of the painted one</label>`

/** What this view shows. @param {object} state @param {number[]} x @param {number[]} w
 * @returns {{count: number[], y: ArrayLike<number>}[]} the transposed convolution, and the other way */
export const both = (state, x, w) => {
  const input = state.flat ? x.map(() => 1) : x
  return [{ count: overlap(state), y: stamp(state, input, w) }, upsampled(state, input, w)]
}

/** Cells of the border, where stamps are missing however they are placed.
 * @param {object} state @returns {[number, number]} for the two ways */
export const edges = ({ k, s, p, e }) => [Math.max(0, k - s - p + e), Math.floor(k / 2)]

const span = (found) => (found[0] === found[1] ? say(found[0]) : `${say(found[0])} to ${say(found[1])}`)

export class Checkerboard {
  /** @param {HTMLElement} root @param {(flat: boolean) => void} choose */
  constructor(root, choose) {
    root.innerHTML = HTML
    this.root = root
    this.at = null
    const grid = (name, way) => new Grid(root.querySelector(`.${name}`), {
      over: (cell) => { this.at = cell === null ? null : [way, cell]; this.redraw?.() },
    })
    this.grids = [[grid("overlap", 0), grid("result", 0)], [grid("count", 1), grid("smooth", 1)]]
    this.box = root.querySelector("input")
    this.box.onchange = () => choose(this.box.checked)
  }

  /** @param {import("./grid.js").Look} look @param {object} state @param {number[]} x @param {number[]} w
   * @param {{x: string, w: string, y: string}} colours @param {number} width of the whole
   * @param {number} height of a grid */
  draw(look, state, x, w, colours, width, height) {
    this.redraw = () => this.draw(look, state, x, w, colours, width, height)
    this.box.checked = state.flat
    const { n, k, s } = state, narrow = width < 640
    const each = narrow ? (width - 12) / 2 : (width - 32) / 4 - 13
    this.root.querySelector(".other").textContent = `Upsampling ×${s}, then a convolution with kernel ${k}`
    const of = `Output of ${state.flat ? "a flat input of ones" : "the painted input"}`
    both(state, x, w).forEach(({ count, y }, way) => {
      const side = way ? n * s : outSide(state), at = this.at?.[0] === way ? this.at[1] : null
      const [counts, result] = this.grids[way], marks = at === null ? new Map() : new Map([[at, "main"]])
      for (const grid of [counts, result]) grid.resize(side, Math.min(each, narrow ? each : height), 40)
      counts.draw(look, { values: count, colour: colours.w, marks })
      result.draw(look, { values: y, colour: colours.y, marks })
      const part = this.root.querySelectorAll(".way")[way]
      part.querySelector(".of").textContent = of
      const [within, found] = [inner(count, edges(state)[way]), inner(y, edges(state)[way])]
      part.querySelector(".says").textContent = at === null ? this.says(state, way, within, found)
        : `[${Math.floor(at / side)}, ${at % side}]: ${count[at]} ${way ? "products" : "stamps"}, y = ${say(y[at])}`
    })
  }
  says(state, way, within, found) {
    if (!within) return "Too small: all cells are at the border."
    const what = way ? "products" : "stamps"
    const even = within[0] === within[1] ? `${within[0]} ${what} each: even` : `${span(within)} ${what}: uneven`
    // Each kernel cell meets only every s-th output: those that do may add up to more than others.
    const own = within[0] === within[1] && found[0] !== found[1] ? ", the kernel's own pattern" : ""
    return `Away from the border: ${even}${state.flat ? `; outputs ${span(found)}${own}` : ""}.`
  }
}

