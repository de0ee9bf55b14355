// One GAN on a line as the session trains and shows it; knows nothing of the screen.
import { Gan, NOISES } from "../shared/learn/gan.js"
import { Random, STREAMS } from "../shared/learn/random.js"
import { BINS, densityOf, middle, normalCdf, quantile, tableOf } from "./densities.js"

/** G is shown for z from -EDGE to EDGE at so many places. */
export const EDGE = 3, PLACES = 241
const SAMPLES = 4000
const SOME = 0.02 // of p + q: where there is less, there is nothing to judge
const GAP = 0.02 // of the highest p: less is a gap

/** What the line adds to the settings of a GAN. */
export const FIXED = { dim: 1, latent: 1, output: "none", init: "uniform" }

/** The share of N(0, 1) or of a uniform z below each z. */
export const SHARES = { normal: normalCdf, uniform: (z) => Math.min(1, Math.max(0, (z + 1) / 2)) }

/** @param {number} i of PLACES @param {string} noise */
export const placeOf = (i, noise) => (noise === "normal" ? EDGE : 1) * ((2 * i) / (PLACES - 1) - 1)

/** Wasserstein's distance of samples from a density: how far each must move, on average, to be one of the
 * density's own. @param {Float64Array} cdf @param {Float32Array} sorted */
export const distance = (cdf, sorted) =>
  sorted.reduce((sum, x, i) => sum + Math.abs(x - quantile(cdf, (i + 0.5) / sorted.length)), 0) / sorted.length

/** @param {object} settings of fields.js */
export const study = (settings) => {
  const { p, cdf } = tableOf(settings), { noise } = settings
  const draw = (random, out, count) => { for (let i = 0; i < count; i++) out[i] = quantile(cdf, random.uniform()) }
  const gan = new Gan({ ...settings, ...FIXED }, draw)
  const z = new Float32Array(SAMPLES)
  NOISES[noise](new Random(settings.seed, STREAMS.shown), z)
  const zs = Float32Array.from({ length: PLACES }, (_, i) => placeOf(i, noise))
  const xs = Float32Array.from({ length: BINS }, (_, i) => middle(i))
  const highest = Math.max(...p)
  const gap = p.map((value) => (value < GAP * highest ? 1 : 0))
  const measure = (samples) => {
    const inside = samples.reduce((sum, x) => {
      const bin = Math.floor(((x - xs[0]) * (BINS - 1)) / (xs[BINS - 1] - xs[0]) + 0.5)
      return sum + (gap[bin] ?? 1)
    }, 0)
    return { distance: distance(cdf, samples.toSorted()), gap: inside / samples.length }
  }
  return {
    gan,
    measure: () => {
      const { distance: far, gap: share } = measure(gan.generate(z, SAMPLES))
      return [far, share]
    },
    show: () => {
      const samples = gan.generate(z, SAMPLES), q = densityOf(samples)
      return {
        q,
        g: gan.generate(zs, PLACES),
        belief: gan.score(xs, BINS).map(gan.loss.belief),
        optimal: Float32Array.from(q, (value, i) => (value + p[i] > SOME ? p[i] / (p[i] + value) : NaN)),
        measures: measure(samples),
      }
    },
  }
}
