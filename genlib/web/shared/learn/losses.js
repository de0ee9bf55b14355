// What D and G minimise, as functions of one score D(x); the loss is the mean over a batch.

/** 1 / (1 + e^-s), also for scores far from 0. @param {number} s */
export const sigmoid = (s) => (s >= 0 ? 1 / (1 + Math.exp(-s)) : Math.exp(s) / (1 + Math.exp(s)))

/** log(1 + e^s), also for scores far from 0. @param {number} s */
export const softplus = (s) => Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s)))

const crossEntropy = { // scores are logits
  real: { loss: (s) => softplus(-s), slope: (s) => sigmoid(s) - 1 },
  fake: { loss: softplus, slope: sigmoid },
  belief: sigmoid,
  indifferent: 0,
}

/** name -> for D `real` and `fake`, for G `forged`: the loss of a score and its slope; `belief`, what
 * a score says as a number from 0 (fake) to 1 (real); `indifferent`, the score between the two.
 * Sources: Goodfellow et al. 2014, arXiv:1406.2661 (minimax, and non-saturating in section 3); Mao et al.
 * 2017, arXiv:1611.04076 (least squares with targets 0 and 1). */
export const LOSSES = {
  "non-saturating": { ...crossEntropy, forged: crossEntropy.real },
  minimax: { ...crossEntropy, forged: { loss: (s) => -softplus(s), slope: (s) => -sigmoid(s) } },
  "least squares": {
    real: { loss: (s) => 0.5 * (s - 1) ** 2, slope: (s) => s - 1 },
    fake: { loss: (s) => 0.5 * s * s, slope: (s) => s },
    forged: { loss: (s) => 0.5 * (s - 1) ** 2, slope: (s) => s - 1 },
    belief: (s) => Math.min(1, Math.max(0, s)),
    indifferent: 0.5,
  },
}

/** The mean loss of rows [from, to) of the scores; their slopes, over their number, go to `grad`.
 * @param {{loss: (s: number) => number, slope: (s: number) => number}} side of one of LOSSES
 * @param {Float32Array} scores @param {Float32Array} grad @returns {number} */
export const judge = (side, scores, from, to, grad) => {
  let sum = 0
  const count = to - from
  for (let i = from; i < to; i++) {
    sum += side.loss(scores[i])
    grad[i] = side.slope(scores[i]) / count
  }
  return sum / count
}

/** What D and G pay where D can't tell: log 4 and log 2 for the non-saturating loss.
 * @param {string} name of a loss @returns {[number, number]} */
export const undecided = (name) => {
  const { real, fake, forged, indifferent } = LOSSES[name]
  return [real.loss(indifferent) + fake.loss(indifferent), forged.loss(indifferent)]
}
