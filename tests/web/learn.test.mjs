import assert from "node:assert/strict"
import { test } from "node:test"
import { ACTIVATIONS } from "../../genlib/web/shared/learn/activations.js"
import { lineChart, written } from "../../genlib/web/shared/learn/chart.js"
import { Gan } from "../../genlib/web/shared/learn/gan.js"
import { LOSSES, undecided } from "../../genlib/web/shared/learn/losses.js"
import { BENCHES, fastest, Mlp } from "../../genlib/web/shared/learn/mlp.js"
import { Random, STREAMS } from "../../genlib/web/shared/learn/random.js"
import { fromText } from "../../genlib/web/shared/packet.js"
import { given } from "./given.mjs"

const floats = (text) => new Float32Array(fromText(text).buffer)
const SETTINGS = {
  seed: 1, dim: 2, latent: 2, noise: "normal", gWidths: [32, 32], dWidths: [32, 32], activation: "leaky relu",
  output: "none", init: "uniform", loss: "non-saturating", optimizer: "adam", beta1: 0.5, lrG: 1e-3, lrD: 1e-3,
  dSteps: 1, batch: 128,
}
const normals = (random, out) => random.normals(out)

const furthest = (a, b) => {
  assert.equal(a.length, b.length)
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0)
}

const everyCase = Object.keys(BENCHES).flatMap((bench) => given.learn.cases.map((one) => ({ ...one, bench })))

for (const { settings, before, one, hundred, losses, bench } of everyCase) {
  test(`${bench}, ${Object.values(settings).join(", ")}: PyTorch's weights after one step and after 100`, () => {
    const batches = floats(given.learn.batches), { batch, steps } = given.learn
    let at = 0
    const next = (out) => { // the same x and z in the same order
      const count = 2 * batch
      out.set(batches.subarray(at, at + count))
      at += count
    }
    const gan = new Gan({ ...SETTINGS, ...settings, batch }, (_, out) => next(out), LOSSES, bench)
    gan.noise = { normals: next }
    gan.g.values.set(floats(before[0]))
    gan.d.values.set(floats(before[1]))
    const off = (expected) => Math.max(
      furthest(gan.g.values, floats(expected[0])), furthest(gan.d.values, floats(expected[1])))
    gan.step()
    assert.ok(off(before) > 1e-4, "the step changed the weights")
    assert.ok(off(one) < 1e-5, `off by ${off(one)} after one step`)
    assert.ok(Math.abs(gan.dLoss - losses[0]) < 1e-5 && Math.abs(gan.gLoss - losses[1]) < 1e-5)
    for (let step = 1; step < steps; step++) gan.step()
    assert.ok(off(hundred) < 1e-3, `off by ${off(hundred)} after ${steps} steps`)
  })
}

// A function of the outputs whose slope is known: Σ w·y + y²/2.
const total = (y, weights) => y.reduce((sum, value, i) => sum + weights[i] * value + (value * value) / 2, 0)

for (const activation of Object.keys(ACTIVATIONS)) {
  test(`gradients through ${activation} are finite differences`, () => {
    const rows = 7, mlp = new Mlp([3, 5, 6, 2], activation, activation)
    const random = new Random(3, 1)
    mlp.init(random)
    const x = normals(random, new Float32Array(rows * 3)), weights = normals(random, new Float32Array(rows * 2))
    const f = () => total(mlp.forward(x, rows).slice(0, rows * 2), weights)
    const y = mlp.forward(x, rows)
    const ofInputs = mlp.backward(weights.map((w, i) => w + y[i]), rows, true, true).slice(0, rows * 3)
    const ofWeights = mlp.grads.slice()
    let checked = 0
    for (const [array, found] of [[mlp.values, ofWeights], [x, ofInputs]]) {
      for (let i = 0; i < array.length; i++) {
        const kept = array[i], by = 2 ** -7
        const at = (value) => { array[i] = value; const sum = f(); array[i] = kept; return sum }
        const difference = (at(kept + by) - at(kept - by)) / (2 * by)
        // A kink in between makes a difference meaningless: there the halves disagree.
        const halves = [(at(kept + by) - f()) / by, (f() - at(kept - by)) / by]
        if (Math.abs(halves[0] - halves[1]) > 0.1) continue
        checked += 1
        assert.ok(Math.abs(difference - found[i]) < 0.03, `${i}: ${found[i]}, not ${difference}`)
      }
    }
    assert.ok(checked > 0.7 * (mlp.values.length + x.length), `${checked} were smooth`)
  })
}

test("vectors and plain loops give the same numbers, whatever the shapes", () => {
  const rows = [1, 2, 3, 4, 5, 130], sizes = [[1, 1], [2, 3, 1], [2, 32, 32, 2], [3, 5, 7, 6, 4], [4, 9, 11]]
  for (const activation of Object.keys(ACTIVATIONS)) {
    for (const size of sizes) {
      const [plain, simd] = ["plain", "simd"].map((bench) => new Mlp(size, activation, activation, bench))
      for (const count of [...rows, 3]) { // more rows than before, and fewer
        const random = new Random(count, 1), x = normals(random, new Float32Array(count * size[0]))
        for (const mlp of [plain, simd]) mlp.init(new Random(7, 1))
        const grad = normals(random, new Float32Array(count * size.at(-1)))
        const [expected, found] = [plain, simd].map((mlp) => [
          mlp.forward(x, count).slice(0, grad.length), mlp.backward(grad, count, true, true).slice(0, x.length), mlp.grads,
        ])
        expected.forEach((values, i) => assert.deepEqual(found[i], values, `${activation}, ${size}, ${count} rows, part ${i}`))
      }
    }
  }
})

test("a browser without vectors takes the plain loops", () => {
  assert.equal(fastest(), "simd")
  const { validate } = WebAssembly
  WebAssembly.validate = () => false
  try { assert.equal(fastest(), "plain") } finally { WebAssembly.validate = validate }
})

test("many GANs one after the other don't use up memory", () => {
  for (let k = 0; k < 300; k++) new Gan({ ...SETTINGS, batch: 512 }, normals).step()
})

test("each loss has its slope", () => {
  for (const [name, { real, fake, forged }] of Object.entries(LOSSES)) {
    for (const side of [real, fake, forged]) {
      for (const s of [-30, -2, -0.3, 0.4, 1.7, 30]) {
        const difference = (side.loss(s + 1e-4) - side.loss(s - 1e-4)) / 2e-4
        assert.ok(Math.abs(difference - side.slope(s)) < 1e-6, `${name} at ${s}`)
      }
    }
  }
})

test("uniform numbers are even, normal ones normal, streams different and seeds repeat", () => {
  const n = 20000
  const u = new Random(1, STREAMS.data).uniforms(new Float32Array(n))
  assert.ok(Math.min(...u) >= 0 && Math.max(...u) <= 1)
  for (let tenth = 0; tenth < 10; tenth++) {
    const count = u.filter((v) => v >= tenth / 10 && v < (tenth + 1) / 10).length
    assert.ok(Math.abs(count - n / 10) < 5 * Math.sqrt(n / 10), `${count} in tenth ${tenth}`)
  }
  const x = new Random(1, STREAMS.noise).normals(new Float32Array(n + 1))
  const mean = (f) => x.reduce((sum, v) => sum + f(v), 0) / x.length
  assert.ok(Math.abs(mean((v) => v)) < 0.03 && Math.abs(mean((v) => v * v) - 1) < 0.05)
  assert.ok(Math.abs(mean((v) => v ** 4) - 3) < 0.3)
  const first = (seed, stream) => new Random(seed, stream).uniform()
  assert.equal(first(1, 3), first(1, 3))
  assert.equal(new Set([first(1, 3), first(1, 4), first(2, 3), first(2, 4)]).size, 4)
})

test("D's width changes neither G's first weights nor the batches", () => {
  const draw = (random, out) => normals(random, out)
  const narrow = new Gan({ ...SETTINGS, dWidths: [4] }, draw), wide = new Gan(SETTINGS, draw)
  assert.deepEqual(narrow.g.values, wide.g.values)
  narrow.stepD()
  wide.stepD()
  assert.deepEqual(narrow.both, wide.both)
})

test("arrows point to where G's loss falls", () => {
  const gan = new Gan({ ...SETTINGS, dWidths: [8], activation: "tanh" }, (random, out) => normals(random, out))
  for (let step = 0; step < 50; step++) gan.step()
  const x = Float32Array.of(0.3, -0.8), pull = gan.pull(x, 1)
  const loss = (a, b) => gan.loss.forged.loss(gan.score(Float32Array.of(a, b), 1)[0])
  const by = 0.05
  const slope = [
    (loss(0.3 + by, -0.8) - loss(0.3 - by, -0.8)) / (2 * by), (loss(0.3, -0.8 + by) - loss(0.3, -0.8 - by)) / (2 * by),
  ]
  assert.ok(Math.hypot(...slope) > 1e-3)
  slope.forEach((s, i) => assert.ok(Math.abs(s + pull[i]) < 0.05 * Math.hypot(...slope)))
})

test("what is paid where D can't tell is what the page says about each loss", () => {
  const near = (found, expected) => found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12, `${found}`))
  near(undecided("non-saturating"), [Math.log(4), Math.log(2)])
  near(undecided("minimax"), [Math.log(4), -Math.log(2)])
  near(undecided("least squares"), [0.25, 0.125])
})

test("numbers have a minus, one step is a step, and names of lines don't run into each other", () => {
  assert.deepEqual([written(-0.671), written(-0.001), written(NaN)], ["−0.67", "0.00", "–"])
  const chart = (steps) => lineChart({ steps, low: -1.5, high: 2.5, lines: [
    { name: "Covered", colour: "#000", values: steps }, { name: "On target", colour: "#111", values: steps },
  ] })
  assert.match(chart([0, 1]), />1 step</)
  assert.match(chart([0, 20]), />20 steps</)
  assert.match(chart([0, 20]), />−1.5</)
  assert.match(chart([0, 20]), /<tspan dx="0"[^>]*>Covered<\/tspan><tspan dx="12"[^>]*>On target<\/tspan>/)
})
