// Linear layers with an activation after each, their gradients included.
import { ACTIVATIONS } from "./activations.js"
import { PlainBench } from "./plain.js"
import { canSimd, SimdBench } from "./simd.js"

/** name -> what does the arithmetic: the same numbers, to the last bit. */
export const BENCHES = { plain: PlainBench, simd: SimdBench }
/** The fastest that this browser has. */
export const fastest = () => (canSimd() ? "simd" : "plain")

/** name -> fills weights (out, in) and biases (out) of a layer; `in` is their number of inputs. */
export const INITS = {
  // As torch.nn.Linear does: both from U(-1/√in, 1/√in).
  uniform: (random, weight, bias, inputs) => {
    const bound = 1 / Math.sqrt(inputs)
    random.uniforms(weight, -bound, bound)
    random.uniforms(bias, -bound, bound)
  },
  // Weights from N(0, 1/in), biases 0.
  normal: (random, weight, bias, inputs) => {
    random.normals(weight)
    for (let i = 0; i < weight.length; i++) weight[i] /= Math.sqrt(inputs)
    bias.fill(0)
  },
}

export class Mlp {
  /** @param {number[]} sizes of the input, the hidden layers and the output
   * @param {string} hidden a key of ACTIVATIONS @param {string} [output] another, after the last layer
   * @param {string} [bench] a key of BENCHES
   * Weights and their gradients are one array each, `values` and `grads`: layer by layer the weight
   * (out, in), then the bias (out), as in a PyTorch state dict. */
  constructor(sizes, hidden, output = "none", bench = fastest()) {
    this.sizes = sizes
    this.bench = new BENCHES[bench]()
    this.layers = []
    let at = 0
    for (let l = 1; l < sizes.length; l++) {
      const [inputs, outputs] = [sizes[l - 1], sizes[l]]
      const activation = ACTIVATIONS[l < sizes.length - 1 ? hidden : output]
      if (!activation) throw new Error(`activation must be one of ${Object.keys(ACTIVATIONS).join(", ")}`)
      this.layers.push({ inputs, outputs, activation, weight: at, bias: at + inputs * outputs })
      at += (inputs + 1) * outputs
    }
    this.values = new Float32Array(at)
    this.grads = new Float32Array(at)
    this.room = 0 // how many rows the buffers below hold
  }

  /** @param {import("./random.js").Random} random @param {string} kind a key of INITS */
  init(random, kind = "uniform") {
    for (const { inputs, outputs, weight, bias } of this.layers) {
      INITS[kind](random, this.values.subarray(weight, bias), this.values.subarray(bias, bias + outputs), inputs)
    }
  }

  #make(rows) {
    if (rows <= this.room) return
    this.room = rows
    const { sizes, layers, values } = this
    const counts = [values.length, values.length, ...[...sizes, ...sizes.slice(1)].map((size) => rows * size)]
    counts.push(rows * sizes[0])
    const [weights, slopes, ...rest] = this.bench.floats(counts, Math.max(rows, ...sizes))
    // Copies of values and grads, inputs of each layer and the outputs, and the gradients of all of them.
    Object.assign(this, { weights, slopes, deltas: rest.splice(0, sizes.length), outputs: rest.splice(0, layers.length) })
    this.x = rest[0]
  }

  /** @param {Float32Array} x (rows, inputs) @param {number} rows
   * @returns {Float32Array} (rows, outputs), valid until the next call */
  forward(x, rows) {
    this.#make(rows)
    const { bench, weights } = this
    weights.set(this.values)
    this.x.set(x.subarray(0, rows * this.sizes[0]))
    let input = this.x
    this.layers.forEach(({ inputs, outputs, activation, weight, bias }, l) => {
      const y = this.outputs[l]
      bench.product(rows, outputs, inputs, input, 0, inputs, 1, weights, weight, inputs, 1, y, 0, weights, bias)
      activation.apply(y, rows * outputs, bench)
      input = y
    })
    return input
  }

  /** After `forward` with as many rows: gradients of what depends on its outputs.
   * @param {Float32Array} grad (rows, outputs), of the outputs
   * @param {boolean} ofWeights whether to set `grads`: sums over the rows
   * @param {boolean} ofInputs whether to go on to the inputs
   * @returns {Float32Array | null} (rows, inputs) of the inputs, valid until the next call */
  backward(grad, rows, ofWeights, ofInputs) {
    const { layers, deltas, weights, slopes, bench } = this
    deltas[layers.length].set(grad.subarray(0, rows * this.sizes[layers.length]))
    for (let l = layers.length - 1; l >= 0; l--) {
      const { inputs, outputs, activation, weight, bias } = layers[l]
      const delta = deltas[l + 1], input = l ? this.outputs[l - 1] : this.x
      activation.back(delta, this.outputs[l], rows * outputs, bench)
      if (ofWeights) {
        bench.product(outputs, inputs, rows, delta, 0, 1, outputs, input, 0, 1, inputs, slopes, weight)
        bench.sums(rows, outputs, delta, slopes, bias)
      }
      if (l || ofInputs) {
        bench.product(rows, inputs, outputs, delta, 0, outputs, 1, weights, weight, 1, inputs, deltas[l], 0)
      }
    }
    if (ofWeights) this.grads.set(slopes)
    return ofInputs ? deltas[0] : null
  }
}
