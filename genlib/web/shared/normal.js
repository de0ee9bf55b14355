// The normal distribution in one dimension, and Student's t for confidence bands.
const LOG_2_PI = Math.log(2 * Math.PI)

/** log N(x; mu, sigma). @param {number} x @param {number} [mu] @param {number} [sigma] above 0 */
export const logPdf = (x, mu = 0, sigma = 1) =>
  -0.5 * (((x - mu) / sigma) ** 2 + LOG_2_PI) - Math.log(sigma)

/** N(x; mu, sigma). @param {number} x @param {number} [mu] @param {number} [sigma] above 0 */
export const pdf = (x, mu = 0, sigma = 1) => Math.exp(logPdf(x, mu, sigma))

/** P(X < x): 1/2 + pdf(x) (x + x^3/3 + x^5/(3 5) + ...), Marsaglia 2004.
 * @param {number} x @param {number} [mu] @param {number} [sigma] above 0 */
export const cdf = (x, mu = 0, sigma = 1) => {
  const z = (x - mu) / sigma
  if (Number.isNaN(z)) return NaN // the sum below would never settle
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0
  let sum = z, term = z, before = 0
  for (let i = 3; sum !== before; i += 2) {
    before = sum
    term *= (z * z) / i
    sum += term
  }
  return 0.5 + sum * pdf(z)
}

/** P(|T| < t) for Student's t: Abramowitz & Stegun 26.7.3 and 26.7.4, exact.
 * @param {number} t not negative @param {number} freedom a whole number from 1 */
export const withinT = (t, freedom) => {
  const angle = Math.atan(t / Math.sqrt(freedom)), cos = Math.cos(angle), odd = freedom % 2 === 1
  let sum = 0, term = odd ? cos : 1
  for (let i = odd ? 3 : 2; i <= freedom; i += 2) {
    sum += term
    term *= ((i - 1) / i) * cos * cos
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum
}

/** The t with P(|T| < t) = share. @param {number} share in (0, 1) @param {number} freedom from 1 */
export const quantileT = (share, freedom) => {
  let low = 0, high = 1
  while (high < 1e12 && withinT(high, freedom) < share) high *= 2
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (withinT(middle, freedom) < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The mean and the standard deviation that make numbers most likely: divided by n, not n - 1.
 * @param {number[]} numbers at least one */
export const fitNormal = (numbers) => {
  const mu = numbers.reduce((sum, x) => sum + x, 0) / numbers.length
  const variance = numbers.reduce((sum, x) => sum + (x - mu) ** 2, 0) / numbers.length
  return { mu, sigma: Math.sqrt(variance) }
}

/** Mean log-density of numbers, in nats. @param {number[]} numbers @param {number} mu @param {number} sigma */
export const meanLog = (numbers, mu, sigma) =>
  numbers.reduce((sum, x) => sum + logPdf(x, mu, sigma), 0) / numbers.length
