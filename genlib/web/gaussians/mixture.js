// A mixture of Gaussians by expectation maximisation (Dempster, Laird & Rubin 1977), half a step at
// a time. A part is a Gaussian with its share: {mean, cov, share}; the shares add up to 1.
import { Chance } from "../shared/chance.js"
import { atLeast, fitGaussian, floorOf, logDensity } from "../shared/gaussian.js"

/** Before the first step: every part has this covariance and sits on a random point.
 * @param {number[][]} points @param {number[]} wide the covariance @param {number} count of parts @param {number} seed */
const startParts = (points, wide, count, seed) => {
  const chance = new Chance(seed)
  return Array.from({ length: count }, () => {
    const [x, y] = points[Math.floor(chance.uniform() * points.length)]
    return { mean: [x, y], cov: wide, share: 1 / count }
  })
}

/** E step: how likely each part made each point.
 * @param {object[]} parts @param {number[][]} points
 * @returns {{shares: number[][], logLikelihood: number}} shares[i][k] of point i; mean in nats */
export const expect = (parts, points) => {
  let total = 0
  const shares = points.map(([x, y]) => {
    const logs = parts.map((part) => Math.log(part.share) + logDensity(part, x, y))
    const top = Math.max(...logs), raw = logs.map((l) => Math.exp(l - top))
    const sum = raw.reduce((a, b) => a + b, 0)
    total += top + Math.log(sum)
    return raw.map((r) => r / sum)
  })
  return { shares, logLikelihood: total / points.length }
}

/** M step: each part becomes the Gaussian of its points, each weighed by its share in it. A floor keeps variances
 * from shrinking to nothing. It is a lower bound, so the likelihood can't fall: each part is the most likely one
 * within the bound. scikit-learn's reg_covar is added to every variance instead, and it can fall.
 * @param {object[]} parts kept where a part has no points left
 * @param {number[][]} points @param {number[][]} shares @param {number[]} floor of the variances, as in `atLeast` */
export const maximise = (parts, points, shares, floor) => parts.map((part, k) => {
  const { mean, cov, total } = fitGaussian(points, (i) => shares[i][k])
  if (!(total > 1e-9)) return { ...part, share: 1e-12 }
  return { mean, cov: atLeast(cov, floor), share: total / points.length }
})

/** A mixture that is being fitted, from a start that a seed determines. */
export class Mixture {
  /** @param {number[][]} points @param {number} count of parts @param {number} seed */
  constructor(points, count, seed) {
    const { cov } = fitGaussian(points), floor = floorOf(cov)
    Object.assign(this, { points, floor, half: 0, shares: null, history: [] })
    this.parts = startParts(points, atLeast(cov, floor), count, seed)
  }

  /** Half a step: E where the points are to be shared out, M where the parts are to move. */
  advance() {
    if (this.half % 2 === 0) {
      const { shares, logLikelihood } = expect(this.parts, this.points)
      this.shares = shares
      this.history.push(logLikelihood)
    } else {
      this.parts = maximise(this.parts, this.points, this.shares, this.floor)
    }
    this.half++
  }

  /** Whether the last whole step raised the mean log-likelihood by less than a millionth of a nat. */
  get settled() {
    const [before, last] = this.history.slice(-2)
    return this.history.length > 1 && last - before < 1e-6
  }
}
