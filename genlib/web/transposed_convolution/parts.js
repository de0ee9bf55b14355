// The page's HTML, and its lists of things to choose.
import { HTML as CHECKERBOARD } from "./checkerboard.js"
import { HTML as LAYER } from "./layer.js"
import { range } from "./operation.js"
import { changed, inputOf, kernelOf, withInput, withKernel } from "./state.js"

/** The views by name. */
export const TABS = {
  all: "Three views", stamp: "Stamps", slide: "Convolution", matrix: "Matrix",
  checkerboard: "Checkerboard", layer: "A real layer",
}

/** The numbers of a setting, by name. */
export const STEPPERS = { n: "Input size", k: "Kernel", s: "Stride", p: "Padding", e: "Output padding" }

/** What to know about each of them. */
export const ASIDE = {
  n: () => "Cells in a row of the input: 1 to 7.",
  k: () => "Cells in a row of the kernel: 1 to 5.",
  s: () => "Output cells between two stamps: 1 to 4.",
  p: (state) => `Rows and columns cut off at each side of the output: 0 to ${range(state, "p")[1]} here, so that a cell is left.`,
  e: (state) => `Rows and columns added below and to the right: less than the stride, so 0 to ${range(state, "e")[1]} here.`,
}

const setting = (change, extra = {}) => (state) => ({ ...changed(state, change), ...extra })

// Weights 1 - |distance| / stride: what bilinear interpolation gives every neighbour.
const bilinear = (state) => Array.from({ length: state.k ** 2 }, (_, t) => {
  const middle = (state.k - 1) / 2, weight = (a) => Math.max(0, 1 - Math.abs(a - middle) / Math.max(1, state.s))
  return Math.round(weight(Math.floor(t / state.k)) * weight(t % state.k) * 100) / 100
})
const input = (make) => (state) => ({ ...state, x: withInput(state, inputOf(state).map((_, q) => make(q, state.n))) })
const kernel = (make) => (state) => ({ ...state, w: withKernel(state, kernelOf(state).map((_, q) => make(q, state.k))) })
const random = (low, high) => low + Math.floor(Math.random() * (high - low + 1))

/** Settings worth seeing, by name: state -> state. */
export const EXAMPLES = {
  "2×2 → 4×4, kernel 3 (overview)": setting({ n: 2, k: 3, s: 1, p: 0, e: 0 }, { pin: "o5" }),
  "Kernel 2, stride 2: no overlap": setting({ n: 3, k: 2, s: 2, p: 0, e: 0 }),
  "Stride 2, padding 1": setting({ n: 3, k: 3, s: 2, p: 1, e: 0 }),
  "The same, output padding 1": setting({ n: 3, k: 3, s: 2, p: 1, e: 1 }),
  "Doubling as in conv-vae-20": setting({ n: 4, k: 4, s: 2, p: 1, e: 0 }),
  "Stride 3, kernel 2: gaps": setting({ n: 3, k: 2, s: 3, p: 0, e: 0 }),
  "7×7, kernel 5, stride 3": setting({ n: 7, k: 5, s: 3, p: 0, e: 0 }),
  "Checkerboard: kernel 3, stride 2": setting({ n: 4, k: 3, s: 2, p: 0, e: 0 }, { view: "checkerboard" }),
  "Bilinear kernel, stride 2": (state) => {
    const next = { ...changed(state, { n: 4, k: 3, s: 2, p: 1, e: 0 }), view: "checkerboard" }
    return { ...next, w: withKernel(next, bilinear(next)) }
  },
}

/** Ways to fill the input or the kernel: state -> state. */
export const FILLS = {
  "Input: all ones": input(() => 1),
  "Input: one dot": input((q, n) => (q === Math.floor(n / 2) * (n + 1) ? 1 : 0)),
  "Input: random": input(() => random(-4, 9)),
  "Input: all zeros": input(() => 0),
  "Kernel: all ones": kernel(() => 1),
  "Kernel: bilinear": (state) => ({ ...state, w: withKernel(state, bilinear(state)) }),
  "Kernel: edge": kernel((q, k) => Math.sign((q % k) - (k - 1) / 2)),
  "Kernel: random": kernel(() => random(-3, 3)),
}

/** Everything on the page. */
export const HTML = `
  <div class="tabs" role="tablist" aria-label="What to show"></div>
  <div class="body"><div class="main">
    <div class="bar st-key-tconv-bar"><button type="button" class="play" aria-pressed="false">Play</button><button type="button" class="once">Step</button>
      <input class="scrub slider" type="range" min="0" step="1" aria-label="Step"><output class="where"></output>
      <select class="order" aria-label="What a step is"><option value="input">stamp by stamp</option>
        <option value="output">output by output</option></select></div>
    <div class="lines"><p class="sum" aria-live="polite"></p><p class="step" aria-live="polite"></p></div>
    <div class="panels">
      <section class="panel" data-view="stamp"><h4>Every input cell stamps its kernel</h4>
        <div class="pair"><figure><figcaption class="input-name"></figcaption><canvas class="input" tabindex="0" role="application"
            aria-label="Input: drag to paint, or type numbers"></canvas></figure>
          <figure><figcaption class="kernel-name"></figcaption><canvas class="kernel" tabindex="0" role="application"
            aria-label="Kernel: drag to paint, or type numbers"></canvas></figure>
          <figure class="large"><figcaption class="output-name"></figcaption><canvas class="output" tabindex="0" role="application"
            aria-label="Output: click a cell to pin it"></canvas></figure></div></section>
      <section class="panel" data-view="slide"><h4>The turned kernel slides over it</h4>
        <div class="pair"><figure class="large"><figcaption class="wide-name"></figcaption><canvas class="wide" tabindex="0" role="application"
            aria-label="The input, spread out with zeros"></canvas></figure>
          <figure><figcaption>turned kernel</figcaption><canvas class="turned" tabindex="0" role="application" aria-label="The kernel, turned by 180 degrees"></canvas></figure>
          <figure><figcaption>output</figcaption><canvas class="again" tabindex="0" role="application" aria-label="Output, again"></canvas></figure></div></section>
      <section class="panel" data-view="matrix"><h4>One matrix <button type="button" class="which"></button></h4>
        <figure><figcaption class="matrix-name"></figcaption><canvas class="entries" tabindex="0" role="application"
          aria-label="The matrix: arrow keys walk through its entries"></canvas></figure></section>
    </div>
    <div class="checkerboard" hidden>${CHECKERBOARD}</div><div class="layer" hidden>${LAYER}</div>
    <div class="code"><code></code><button type="button" class="copy-line">Copy</button><button type="button"
      class="copy-all" title="A script with these numbers">Copy with the numbers</button></div>
  </div>
  <aside>
    <div class="about-operation"><div class="steppers"></div>
      <label class="brush-row">Paint with <input class="brush" type="number" min="-99" max="99" step="1" value="1"></label>
      <select class="fills" aria-label="Fill"><option>Fill …</option></select>
      <select class="examples" aria-label="Examples"><option>Examples …</option></select>
      <button type="button" class="undo">Undo</button>
      <figure class="only-checkerboard"><figcaption>kernel</figcaption><canvas class="kernel-here" tabindex="0"
        role="application" aria-label="Kernel: drag to paint, or type numbers"></canvas></figure></div>
    <div class="about-layer" hidden><label>Model <select class="model"><option>conv-vae-20</option>
        <option>dcgan-28</option></select></label>
      <figure><canvas class="image pixels" role="img" aria-label="The image that this z becomes"></canvas><figcaption>the image</figcaption></figure>
      <figure><canvas class="z pixels" role="img"></canvas><figcaption>z</figcaption></figure>
      <button type="button" class="new-z">Another z</button></div></aside></div>`
