// One GAN in the plane as the session trains and shows it; knows nothing of the screen.
import { Gan, NOISES } from "../shared/learn/gan.js"
import { Random, STREAMS } from "../shared/learn/random.js"
import { measureOf } from "./measure.js"
import { drawFrom, targetOf } from "./targets.js"

/** Half the width of the square that is drawn. */
export const REACH = 1.5
/** Cells of D's colours and of G's mesh along one side. */
export const CELLS = 40, MESH = 20
const REAL = 400, SAMPLES = 1000
const EDGE = { normal: 2.2, uniform: 1 } // of the mesh in z

/** What the plane adds to the settings of a GAN. */
export const FIXED = { dim: 2, latent: 2, output: "none", init: "uniform" }

const gridOf = (side, edge) => {
  const points = new Float32Array(2 * side * side)
  for (let i = 0, at = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      points[at++] = edge * ((2 * j) / (side - 1) - 1)
      points[at++] = edge * ((2 * i) / (side - 1) - 1)
    }
  }
  return points
}

/** @param {object} settings of fields.js
 * @returns {{gan: Gan, show: (ask: {colour?: boolean}) => object, measure: () => number[]}} */
export const study = (settings) => {
  const target = targetOf(settings), draw = drawFrom(target)
  const gan = new Gan({ ...settings, ...FIXED }, draw)
  const shown = new Random(settings.seed, STREAMS.shown)
  const real = new Float32Array(2 * REAL), z = new Float32Array(2 * SAMPLES)
  draw(shown, real, REAL)
  NOISES[settings.noise](shown, z)
  const measure = measureOf(target, real)
  const cells = gridOf(CELLS, REACH * (1 - 1 / CELLS)), mesh = gridOf(MESH + 1, EDGE[settings.noise])
  return {
    gan,
    measure: () => {
      const { covered, modes, close, spread } = measure(gan.generate(z, SAMPLES))
      return [modes ? covered / modes : covered, close, spread]
    },
    show: ({ colour = true }) => {
      const samples = gan.generate(z, SAMPLES)
      return {
        real, samples,
        arrows: gan.pull(samples, 120),
        mesh: gan.generate(mesh, (MESH + 1) ** 2),
        belief: colour ? gan.score(cells, CELLS * CELLS).map(gan.loss.belief) : null,
        measures: measure(samples),
      }
    },
  }
}
