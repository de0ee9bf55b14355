// A generator G and a discriminator D that train each other, one step at a time.
//
//   D:  minimise  mean real(D(x)) + mean fake(D(G(z)))       `dSteps` times, then
//   G:  minimise  mean forged(D(G(z)))                       once; z is drawn again for each
//
// All that is random comes from the seed, in streams of its own: the same seed gives the same first
// weights, batches and noise, whatever else is changed.
import { judge, LOSSES } from "./losses.js"
import { fastest, Mlp } from "./mlp.js"
import { OPTIMIZERS } from "./optimizers.js"
import { Random, STREAMS } from "./random.js"

/** @typedef {object} Settings
 * @property {number} seed @property {number} dim numbers in a point x
 * @property {number} latent numbers in z @property {"normal" | "uniform"} noise of z
 * @property {number[]} gWidths of G's hidden layers @property {number[]} dWidths of D's
 * @property {string} activation a key of ACTIVATIONS @property {string} output G's last activation
 * @property {string} init a key of INITS @property {string} loss a key of LOSSES
 * @property {string} optimizer a key of OPTIMIZERS @property {number} beta1 of Adam
 * @property {number} lrG @property {number} lrD @property {number} dSteps @property {number} batch */

/** How z is drawn. */
export const NOISES = {
  normal: (random, z) => random.normals(z),
  uniform: (random, z) => random.uniforms(z, -1, 1),
}

export class Gan {
  /** @param {Settings} settings
   * @param {(random: Random, out: Float32Array, count: number) => void} draw fills a batch (count, dim)
   * @param {typeof LOSSES} [losses] others than ours, by name
   * @param {string} [bench] a key of BENCHES */
  constructor(settings, draw, losses = LOSSES, bench = fastest()) {
    Object.assign(this, { settings, draw, losses, dLoss: NaN, gLoss: NaN, dSteps: 0, gSteps: 0 })
    const { seed, dim, latent, gWidths, dWidths, activation, output, init, batch } = settings
    this.g = new Mlp([latent, ...gWidths, dim], activation, output, bench)
    this.d = new Mlp([dim, ...dWidths, 1], activation, "none", bench)
    this.g.init(new Random(seed, STREAMS.generator), init)
    this.d.init(new Random(seed, STREAMS.discriminator), init)
    this.data = new Random(seed, STREAMS.data)
    this.noise = new Random(seed, STREAMS.noise)
    this.both = new Float32Array(2 * batch * dim) // real points, then forged ones
    this.z = new Float32Array(batch * latent)
    this.slopes = new Float32Array(2 * batch)
    this.#optimizers()
  }

  #optimizers() {
    const { optimizer, beta1, lrG, lrD } = this.settings
    this.gOptimizer = new OPTIMIZERS[optimizer](this.g.values, { lr: lrG, beta1 })
    this.dOptimizer = new OPTIMIZERS[optimizer](this.d.values, { lr: lrD, beta1 })
  }

  /** The loss that is being played. */
  get loss() { return this.losses[this.settings.loss] }

  /** Change what may change while training: loss, lrG, lrD, dSteps. @param {Partial<Settings>} changes */
  change(changes) {
    this.settings = { ...this.settings, ...changes }
    this.gOptimizer.lr = this.settings.lrG
    this.dOptimizer.lr = this.settings.lrD
  }

  #forge() {
    const { noise, batch } = this.settings
    NOISES[noise](this.noise, this.z)
    return this.g.forward(this.z, batch)
  }

  /** One step of D alone. */
  stepD() {
    const { batch, dim } = this.settings, { both, slopes, loss } = this
    this.draw(this.data, both, batch)
    both.set(this.#forge().subarray(0, batch * dim), batch * dim)
    const scores = this.d.forward(both, 2 * batch)
    this.dLoss = judge(loss.real, scores, 0, batch, slopes) + judge(loss.fake, scores, batch, 2 * batch, slopes)
    this.d.backward(slopes, 2 * batch, true, false)
    this.dOptimizer.step(this.d.grads)
    this.dSteps += 1
  }

  /** One step of G alone. */
  stepG() {
    const { batch } = this.settings
    const scores = this.d.forward(this.#forge(), batch)
    this.gLoss = judge(this.loss.forged, scores, 0, batch, this.slopes)
    this.g.backward(this.d.backward(this.slopes, batch, false, true), batch, true, false)
    this.gOptimizer.step(this.g.grads)
    this.gSteps += 1
  }

  /** A whole step: D's steps, then G's. */
  step() {
    for (let k = 0; k < this.settings.dSteps; k++) this.stepD()
    this.stepG()
  }

  /** G's points for given z. @param {Float32Array} z (count, latent)
   * @returns {Float32Array} (count, dim), a copy */
  generate(z, count) { return this.g.forward(z, count).slice(0, count * this.settings.dim) }

  /** D's scores of given points. @param {Float32Array} x (count, dim) @returns {Float32Array} a copy */
  score(x, count) { return this.d.forward(x, count).slice(0, count) }

  /** Where G wants each of these points to go: minus the gradient of G's loss at it, for that point
   * alone. @param {Float32Array} x (count, dim) @returns {Float32Array} (count, dim) */
  pull(x, count) {
    const scores = this.d.forward(x, count), slopes = new Float32Array(count)
    for (let i = 0; i < count; i++) slopes[i] = -this.loss.forged.slope(scores[i])
    return this.d.backward(slopes, count, false, true).slice(0, count * this.settings.dim)
  }
}
