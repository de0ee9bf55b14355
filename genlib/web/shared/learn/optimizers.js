// How gradients become steps; the same formulas as torch.optim, each with one learning rate.

class Sgd {
  /** @param {Float32Array} values what is learnt, changed in place @param {{lr: number}} settings */
  constructor(values, { lr }) { Object.assign(this, { values, lr }) }
  step(grads) {
    const { values, lr } = this
    for (let i = 0; i < values.length; i++) values[i] -= lr * grads[i]
  }
}

// Kingma & Ba 2015, arXiv:1412.6980.
class Adam {
  /** @param {Float32Array} values changed in place @param {{lr: number, beta1: number}} settings */
  constructor(values, { lr, beta1, beta2 = 0.999, epsilon = 1e-8 }) {
    Object.assign(this, { values, lr, beta1, beta2, epsilon, steps: 0 })
    this.m = new Float32Array(values.length)
    this.v = new Float32Array(values.length)
  }
  step(grads) {
    const { values, m, v, beta1, beta2, epsilon } = this
    this.steps += 1
    const size = this.lr / (1 - beta1 ** this.steps), root = Math.sqrt(1 - beta2 ** this.steps)
    for (let i = 0; i < values.length; i++) {
      const grad = grads[i]
      const first = m[i] = beta1 * m[i] + (1 - beta1) * grad
      const second = v[i] = beta2 * v[i] + (1 - beta2) * grad * grad
      values[i] -= (size * first) / (Math.sqrt(second) / root + epsilon)
    }
  }
}

/** name -> class: new OPTIMIZERS.adam(values, { lr, beta1 }); `step(grads)`; `lr` may change. */
export const OPTIMIZERS = { adam: Adam, sgd: Sgd }
