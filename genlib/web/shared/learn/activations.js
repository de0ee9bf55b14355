// What stands between two linear layers. Derivatives are written with the output, which is kept anyway.

const each = (f) => (y, count) => { for (let i = 0; i < count; i++) y[i] = f(y[i]) }
const through = (d) => (grad, y, count) => { for (let i = 0; i < count; i++) grad[i] *= d(y[i]) }

// Both sides of a kink by a table instead of an `if`: half of the guesses that a processor makes on
// the signs of activations are wrong, and each costs more than the product.
const kink = (slope) => {
  const factors = Float64Array.of(slope, 1)
  const scale = (out, y, count) => { for (let i = 0; i < count; i++) out[i] *= factors[+(y[i] > 0)] }
  return { apply: (y, count) => scale(y, y, count), back: scale }
}

/** name -> {apply(y, count), back(grad, y, count)}: both change their first array in place. */
export const ACTIVATIONS = {
  "leaky relu": kink(0.2),
  relu: kink(0),
  tanh: { apply: each(Math.tanh), back: through((y) => 1 - y * y) },
  none: { apply: () => {}, back: () => {} },
}
