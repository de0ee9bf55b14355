// A mixture of Gaussians by expectation maximisation (Dempster, Laird & Rubin 1977), half a step at
// a time. A part is a Gaussian with its share: {mean, cov, share}; the shares add up to 1.
import { Chance } from "../shared/chance.js"
import { fitGaussian, logDensity } from "../shared/gaussian.js"

/** This share of the data's mean variance is added to every variance, so that none shrinks to nothing. */
const FLOOR = 1e-4

/** What is added to variances: scikit-learn's reg_covar. @param {number[][]} points */
export const floorOf = (points) => {
  const { cov } = fitGaussian(points)
  return (FLOOR * (cov[0] + cov[2])) / 2 || 1e-9
}

/** Before the first step: every part has the data's covariance and sits on a random point.
 * @param {number[][]} points @param {number} count of parts @param {number} seed */
const startParts = (points, count, seed) => {
  const { cov } = fitGaussian(points), floor = floorOf(points), chance = new Chance(seed)
  const wide = [cov[0] + floor, cov[1], cov[2] + floor]
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

/** M step: each part becomes the Gaussian of its points, each weighed by its share in it.
 * @param {object[]} parts kept where a part has no points left
 * @param {number[][]} points @param {number[][]} shares @param {number} floor added to variances */
export const maximise = (parts, points, shares, floor) => parts.map((part, k) => {
  const { mean, cov, total } = fitGaussian(points, (i) => shares[i][k])
  if (!(total > 1e-9)) return { ...part, share: 1e-12 }
  return { mean, cov: [cov[0] + floor, cov[1], cov[2] + floor], share: total / points.length }
})

/** A mixture that is being fitted, from a start that a seed determines. */
export class Mixture {
  /** @param {number[][]} points @param {number} count of parts @param {number} seed */
  constructor(points, count, seed) {
    Object.assign(this, { points, floor: floorOf(points), half: 0, shares: null, history: [] })
    this.parts = startParts(points, count, seed)
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
