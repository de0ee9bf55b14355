// What stands between two linear layers. Derivatives are written with the output, which is kept anyway.

const each = (f) => (y, count) => { for (let i = 0; i < count; i++) y[i] = f(y[i]) }
const through = (d) => (grad, y, count) => { for (let i = 0; i < count; i++) grad[i] *= d(y[i]) }

const kink = (slope) => ({
  apply: (y, count, bench) => bench.scale(y, y, count, slope),
  back: (grad, y, count, bench) => bench.scale(grad, y, count, slope),
})

/** name -> {apply(y, count, bench), back(grad, y, count, bench)}: both change their first array, one of the
 * bench's, in place. */
export const ACTIVATIONS = {
  "leaky relu": kink(0.2),
  relu: kink(0),
  tanh: { apply: each(Math.tanh), back: through((y) => 1 - y * y) },
  none: { apply: () => {}, back: () => {} },
}
