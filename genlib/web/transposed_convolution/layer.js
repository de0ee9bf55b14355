// A real layer: a trained decoder, operation by operation, and its convolutions map by map.
//
//     output map o  =  bias  +  sum over input maps c of  (map c, convolved with kernel c -> o)
import { Wanted } from "../shared/store.js"
import { fill } from "../shared/hand.js"
import { grey, imageOf, show } from "../shared/picture.js"
import { Grid } from "./grid.js"
import { say } from "./words.js"

export const HTML = `
  <div class="chain" role="tablist" aria-label="Operations"></div>
  <div class="maps"><figure><figcaption class="before-name"></figcaption><canvas class="before" role="img"></canvas></figure>
    <span class="arrow" aria-hidden="true">→</span>
    <figure><figcaption class="after-name"></figcaption><canvas class="after" role="img"></canvas></figure>
    <div class="detail"><p class="what"></p>
      <label class="summed">Input maps added <input class="slider" type="range" min="0" step="1"><output></output></label>
      <div class="made"><figure><figcaption>map <b class="c"></b></figcaption><canvas class="map-c pixels"></canvas></figure>
        <figure><figcaption>its kernel</figcaption><canvas class="kernel-c" tabindex="0" aria-label="Kernel"></canvas></figure>
        <figure><figcaption>adds</figcaption><canvas class="part pixels"></canvas></figure>
        <figure><figcaption>sum so far</figcaption><canvas class="running pixels"></canvas></figure></div>
      <button class="open" type="button"></button></div></div>
  <p class="missing" hidden>The checkpoint isn't here.</p>`

const DETAIL = 480 // pixels for how a map is made, next to all maps
const CONVOLUTIONS = ["conv", "conv_transpose"]
const MOST_INPUT = 7, MOST_KERNEL = 5

/** Numbers from N(0, 1), the same for the same seed: mulberry32 and Box-Muller.
 * @param {number} seed @param {number} count @returns {Float32Array} */
export const gaussians = (seed, count) => {
  let a = (seed * 2654435761 + 97) >>> 0
  const uniform = () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return Float32Array.from({ length: count }, () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()))
}

/** One map out of numbers with channels last. @param {ArrayLike<number>} values
 * @param {number[]} shape [C, H, W] @param {number} c @returns {Float64Array} H * W */
export const mapOf = (values, [channels, height, width], c) =>
  Float64Array.from({ length: height * width }, (_, q) => values[q * channels + c])

/** The kernel from input map c to output map o.
 * @param {import("../shared/decoder.js").Operation} op @param {number} inputs how many input maps
 * @returns {Float64Array} k * k */
export const kernelBetween = (op, inputs, c, o) => {
  const { kernel: k, shape: [outputs] } = op
  const first = (op.op === "conv" ? o * inputs + c : c * outputs + o) * k * k
  return Float64Array.from(op.weight.subarray(first, first + k * k))
}

/** What one input map adds to one output map.
 * @param {import("../shared/decoder.js").Operation} op @param {ArrayLike<number>} map h * w
 * @param {number[]} size [h, w] @param {ArrayLike<number>} kernel k * k
 * @returns {Float64Array} as large as an output map */
export const contribution = (op, map, [h, w], kernel) => {
  const { kernel: k, stride: s, padding: p, shape: [, height, width] } = op
  const out = new Float64Array(height * width), transposed = op.op === "conv_transpose"
  // Both walk all pairs of a small and a large image; the transposed one goes the other way.
  const [rows, columns] = transposed ? [h, w] : [height, width]
  const [tall, wide] = transposed ? [height, width] : [h, w]
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      for (let a = 0; a < k; a++)
        for (let b = 0; b < k; b++) {
          const y = i * s - p + a, x = j * s - p + b
          if (y < 0 || x < 0 || y >= tall || x >= wide) continue
          if (transposed) out[y * wide + x] += map[i * columns + j] * kernel[a * k + b]
          else out[i * columns + j] += map[y * wide + x] * kernel[a * k + b]
        }
  return out
}

/** The steps of a walk through a decoder: one for each operation, and for each map of a convolution.
 * @param {import("../shared/decoder.js").Operation[]} operations @returns {[number, number][]}
 *   operation and map */
export const walkOf = (operations) => operations.flatMap(({ op, shape }, q) =>
  CONVOLUTIONS.includes(op) ? Array.from({ length: shape[0] }, (_, o) => [q, o]) : [[q, -1]])

const NAMES = {
  linear: () => "Linear", conv: (op) => `Conv ${op.kernel}×${op.kernel}`,
  conv_transpose: (op) => `ConvTranspose ${op.kernel}×${op.kernel}, stride ${op.stride}`,
  upsample: (op) => `Upsample ×${op.factor}`, reshape: () => "Reshape", relu: () => "ReLU",
  leaky_relu: () => "LeakyReLU", tanh: () => "tanh", sigmoid: () => "sigmoid", affine: () => "to [0, 1]",
  clamp: () => "Clamp",
}
const SAYS = {
  linear: (op, inputs) => `Each of the ${op.shape[0].toLocaleString("en")} numbers is a weighted sum of the ${inputs} latents, plus a bias.`,
  upsample: (op) => `Every pixel becomes ${op.factor} × ${op.factor} of the same value. Nothing here was learned.`,
  reshape: (op) => `The same numbers, read as ${op.shape.join(" × ")}: ${op.shape[0]} maps.`,
  relu: () => "Whatever is below 0 becomes 0.", leaky_relu: (op) => `Whatever is below 0 is multiplied by ${op.slope}.`,
  tanh: () => "Every number is squeezed into −1 to 1.", sigmoid: () => "Every number is squeezed into 0 to 1: these are pixels.",
  affine: (op) => `x · ${op.scale} + ${op.shift}: from −1 to 1 into pixels from 0 to 1.`, clamp: () => "Whatever leaves the range is cut.",
}
const size = (shape) => shape.join(" × ")

export class Layer {
  /** @param {HTMLElement} root @param {HTMLElement} side where the image and z are shown
   * @param {(change: object) => void} change of the state
   * @param {(x: number[], w: number[], setting: object) => void} open a map and its kernel in the views */
  constructor(root, side, change, open) {
    root.innerHTML = HTML
    Object.assign(this, { root, side, change, open, get: (selector) => root.querySelector(selector), walk: [], wanted: new Wanted() })
    this.kernel = new Grid(this.get(".kernel-c"), { over: () => {} })
    this.slider = this.get(".summed input")
    this.slider.oninput = () => change({ sum: Number(this.slider.value) })
    this.get(".after").onclick = (event) => this.pick(event)
    this.get(".open").onclick = () => this.openHere()
  }

  /** Use a model that is, or will be, shared on this page. @param {string | undefined} store its name */
  use(store) {
    if (this.store === store) return
    Object.assign(this, { store, decoder: null, key: "" })
    this.wanted.ask(store, (shared) => {
      if (!shared.decoder) return
      this.decoder = shared.decoder
      this.walk = walkOf(shared.decoder.operations)
      this.ready?.()
    })
  }

  /** Stop waiting for the model. */
  end() { this.wanted.stop() }

  /** The number of the step that a state names. */
  stepOf({ op, map }) {
    const found = this.walk.findIndex(([q, o]) => q === op && (o < 0 || o === map))
    return found < 0 ? this.walk.findIndex(([q]) => q === op) : found
  }

  // ---- what is there ----
  read(state) {
    const { decoder } = this, key = `${this.store} ${state.seed}`
    if (this.key === key) return
    this.key = key
    this.z = gaussians(state.seed, decoder.latentDim)
    this.results = decoder.trace(this.z)
  }
  shapeBefore(q) { return q ? this.decoder.operations[q - 1].shape : [this.decoder.latentDim] }
  before(q) { return q ? this.results[q - 1] : this.z }

  // ---- drawing ----
  /** @param {import("./grid.js").Look} look @param {object} state @param {object} colours
   * @param {number} width @param {number} height */
  draw(look, state, colours, width, height) {
    this.get(".missing").hidden = Boolean(this.store)
    for (const part of [".chain", ".maps"]) this.get(part).hidden = !this.decoder
    if (!this.decoder) return
    Object.assign(this, { look, colours, width, state })
    this.read(state)
    const q = Math.min(state.op, this.decoder.operations.length - 1), op = this.decoder.operations[q]
    this.now = { q, op, shape: this.shapeBefore(q) }
    this.drawChain(q)
    this.drawImage()
    const convolution = CONVOLUTIONS.includes(op.op), last = q === this.decoder.operations.length - 1
    const o = convolution ? Math.min(state.map, op.shape[0] - 1) : -1
    const room = width < 640 ? (width - 40) / 2 : Math.min((width - DETAIL) / 2, height)
    this.drawMaps(this.get(".before"), this.before(q), this.now.shape, room, { colour: colours.x })
    this.drawMaps(this.get(".after"), this.results[q], op.shape, room, { colour: colours.y, chosen: o, pixels: last })
    this.get(".before-name").textContent = `${q ? "before" : "z"}: ${size(this.now.shape)}`
    this.get(".after-name").textContent = `after: ${size(op.shape)}`
    for (const part of [".made", ".summed"]) this.get(part).hidden = !convolution
    this.get(".open").hidden = op.op !== "conv_transpose" || op.kernel > MOST_KERNEL
    if (convolution) this.drawSum(o)
    else this.get(".what").textContent = SAYS[op.op]?.(op, this.now.shape[0]) ?? ""
  }
  drawChain(now) {
    const { operations } = this.decoder, chain = this.get(".chain")
    if (chain.dataset.of !== this.store) {
      chain.dataset.of = this.store
      chain.replaceChildren(...operations.map((op, q) => {
        const chip = document.createElement("button")
        chip.innerHTML = "<span></span><small></small>"
        chip.firstChild.textContent = NAMES[op.op](op)
        chip.lastChild.textContent = size(op.shape)
        chip.role = "tab"
        chip.onclick = () => this.change({ op: q, map: 0, sum: -1 })
        return chip
      }))
    }
    for (const [q, chip] of [...chain.children].entries()) {
      chip.setAttribute("aria-selected", String(q === now))
      chip.tabIndex = q === now ? 0 : -1
    }
    chain.children[now].scrollIntoView?.({ block: "nearest", inline: "nearest" })
  }
  drawImage() {
    const { decoder, results } = this, pixels = results.at(-1)
    show(this.side.querySelector(".image"), imageOf(decoder.width, decoder.height, (q) => grey(pixels[q * decoder.channels])))
    const z = this.z, canvas = this.side.querySelector(".z")
    const across = Math.min(z.length, 20), most = 2.5
    show(canvas, imageOf(across, Math.ceil(z.length / across), (q) => this.shade((z[q] ?? 0) / most, this.colours.x)))
    canvas.setAttribute("aria-label", `z: ${z.length} numbers from a standard normal`)
  }
  shade(share, colour) {
    const [back, full] = this.rgb(share < 0 ? this.look.minus : colour), part = Math.min(1, Math.abs(share))
    return back.map((v, k) => v + part * (full[k] - v))
  }
  rgb(colour) {
    this.known ??= new Map()
    const key = this.look.theme.soft + colour
    if (!this.known.has(key)) this.known.set(key, [this.look.theme.soft, colour].map((text) =>
      [1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16))))
    return this.known.get(key)
  }

  // All maps of a layer on one canvas, at one scale; those after `chosen` are still to come.
  drawMaps(canvas, values, shape, room, { colour, chosen = -1, pixels = false }) {
    const [channels, height, width] = shape.length === 3 ? shape : [1, ...folded(shape[0])]
    const across = Math.ceil(Math.sqrt(channels)), gap = channels > 1 ? Math.max(1, Math.round(height / 10)) : 0
    const wide = across * (width + gap) + gap, tall = Math.ceil(channels / across) * (height + gap) + gap
    const most = values.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-9)
    const image = imageOf(wide, tall, () => [0, 0, 0])
    for (let k = 3; k < image.data.length; k += 4) image.data[k] = 0
    if (chosen >= 0 && gap) {
      const left = gap + (chosen % across) * (width + gap), top = gap + Math.floor(chosen / across) * (height + gap)
      this.frameTile(image, left, top, width, height)
    }
    for (let c = 0; c < channels; c++)
      for (let q = 0; q < height * width; q++) {
        const v = values[q * channels + c], x = gap + (c % across) * (width + gap) + (q % width)
        const at = 4 * ((gap + Math.floor(c / across) * (height + gap) + Math.floor(q / width)) * wide + x)
        image.data.set(v === undefined ? [0, 0, 0] : pixels ? grey(v) : this.shade(v / most, colour), at)
        image.data[at + 3] = chosen >= 0 && c > chosen ? 90 : 255
      }
    show(canvas, image)
    // Whole pixels where there is room for several; an uneven enlargement shows only where it is small.
    const scale = room / Math.max(wide, tall), fits = scale < 3 ? scale : Math.floor(scale)
    Object.assign(canvas.style, { width: `${wide * fits}px`, height: `${tall * fits}px` })
    canvas.setAttribute("aria-label", `${channels} maps of ${height} × ${width}`)
    this.tiles = { across, width: width + gap, height: height + gap, channels, wide, tall } // of the last one drawn
  }

  // A line of the mark's colour in the gap around a map.
  frameTile(image, left, top, width, height) {
    const [, mark] = this.rgb(this.look.mark)
    for (let y = top - 1; y <= top + height; y++)
      for (let x = left - 1; x <= left + width; x++) {
        if (x < 0 || y < 0 || x >= image.width || y >= image.height) continue
        image.data.set([...mark, 255], 4 * (y * image.width + x))
      }
  }
  pick(event) {
    const { q, op } = this.now
    if (!CONVOLUTIONS.includes(op.op)) return
    const { across, width, height, channels, wide, tall } = this.tiles, box = event.target.getBoundingClientRect()
    const x = ((event.clientX - box.left) / box.width) * wide, y = ((event.clientY - box.top) / box.height) * tall
    const o = Math.floor(y / height) * across + Math.min(across - 1, Math.floor(x / width))
    if (o < channels) this.change({ op: q, map: o, sum: -1 })
  }

  // How the chosen output map comes about, one input map after the other.
  drawSum(o) {
    const { op, shape, q } = this.now, [inputs, h, w] = shape, [, height, width] = op.shape
    const count = this.state.sum < 0 ? inputs : Math.min(this.state.sum, inputs), c = Math.max(0, count - 1)
    const total = new Float64Array(height * width).fill(op.bias[o])
    let part = new Float64Array(height * width), input = null, kernel = null
    for (let k = 0; k <= c; k++) {
      input = mapOf(this.before(q), shape, k)
      kernel = kernelBetween(op, inputs, k, o)
      part = contribution(op, input, [h, w], kernel)
      if (k < count) for (let i = 0; i < total.length; i++) total[i] += part[i]
    }
    this.chosen = { input, kernel, c, o }
    this.get(".what").textContent = `Map ${o + 1} of ${op.shape[0]} is its bias ${say(op.bias[o])} plus what each of ` +
      `${inputs} input maps adds through a ${op.kernel} × ${op.kernel} kernel of its own.`
    this.get(".c").textContent = c + 1
    this.paint(".map-c", input, h, w, this.colours.x)
    this.paint(".part", part, height, width, this.colours.y)
    this.paint(".running", total, height, width, this.colours.y)
    this.kernel.resize(op.kernel, 184, 46)
    this.kernel.draw(this.look, { values: kernel, colour: this.colours.w })
    Object.assign(this.slider, { max: inputs, value: count })
    fill(this.slider)
    this.get(".summed output").textContent = `${count} of ${inputs}`
    this.get(".open").textContent = h <= MOST_INPUT ? `Open map ${c + 1} and this kernel in the three views`
      : `Open the middle of map ${c + 1} and this kernel in the three views`
  }
  paint(selector, values, height, width, colour) {
    const most = values.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-9)
    show(this.get(selector), imageOf(width, height, (q) => this.shade(values[q] / most, colour)))
  }
  openHere() {
    const { op, shape: [, h, w] } = this.now, { input, kernel } = this.chosen, n = Math.min(MOST_INPUT, h)
    const top = Math.floor((h - n) / 2), left = Math.floor((w - n) / 2)
    const x = Array.from({ length: n * n }, (_, q) => input[(top + Math.floor(q / n)) * w + left + (q % n)])
    this.open(x, Array.from(kernel), { n, k: op.kernel, s: op.stride, p: op.padding, e: 0 })
  }
}

// A vector as an image that is about twice as wide as high: [height, width].
const folded = (count) => {
  const width = Math.ceil(Math.sqrt(2 * count))
  return [Math.ceil(count / width), width]
}
