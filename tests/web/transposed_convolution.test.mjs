import assert from "node:assert/strict"
import { test } from "node:test"
import { compileDecoder } from "../../genlib/web/shared/decoder.js"
import { fromText } from "../../genlib/web/shared/packet.js"
import { both, edges } from "../../genlib/web/transposed_convolution/checkerboard.js"
import { mainOf, marksOf, sentence, sumOf } from "../../genlib/web/transposed_convolution/focus.js"
import { contribution, gaussians, kernelBetween, mapOf, walkOf } from "../../genlib/web/transposed_convolution/layer.js"
import { convolve, inner, links, matrix, nearest, outSide, overlap, range, slide, spread, stamp, turned, upsampled }
  from "../../genlib/web/transposed_convolution/operation.js"
import { EXAMPLES, FILLS } from "../../genlib/web/transposed_convolution/parts.js"
import { asText, changed, inputOf, kernelOf, parse, pinOf, START, stepOf, stepsOf, withInput } from "../../genlib/web/transposed_convolution/state.js"
import { pytorchLine, pytorchScript, say } from "../../genlib/web/transposed_convolution/words.js"
import { given } from "./given.mjs"

const { cases, refusals, lessons, start } = given.transposed
const off = (a, b) => a.reduce((worst, v, q) => Math.max(worst, Math.abs(v - b[q])), 0)
const same = (a, b, what) => {
  assert.equal(a.length, b.length, what)
  assert.ok(off(Array.from(a), b) < 1e-9, `${what}: off by ${off(Array.from(a), b)}`)
}

test("all three views give PyTorch's numbers in 500 random settings", () => {
  assert.equal(cases.length, 500)
  for (const { setting, x, w, y } of cases) {
    const what = JSON.stringify(setting), m = outSide(setting), columns = x.length, cells = matrix(setting)
    same(stamp(setting, x, w), y, `stamps ${what}`)
    same(slide(setting, x, w), y, `convolution ${what}`)
    same(y.map((_, o) => x.reduce((sum, v, i) => {
      const t = cells[o * columns + i]
      return t < 0 ? sum : sum + v * w[t]
    }, 0)), y, `matrix ${what}`)
    assert.equal(y.length, m * m)
  }
})

// The matrix C of the ordinary convolution with this kernel, stride and padding, from m x m to n x n:
// n * n rows and m * m columns of kernel cells, as `matrix`.
const convolutionMatrix = (setting) => {
  const { n, k, s, p } = setting, m = outSide(setting)
  const cells = new Int16Array(n * n * m * m).fill(-1)
  for (let i = 0; i < n * n; i++)
    for (let t = 0; t < k * k; t++) {
      const row = Math.floor(i / n) * s - p + Math.floor(t / k), column = (i % n) * s - p + (t % k)
      if (Math.min(row, column) >= 0 && Math.max(row, column) < m) cells[i * m * m + row * m + column] = t
    }
  return cells
}

test("the matrix is the transpose of the convolution's, which gives conv2d's numbers", () => {
  for (const { setting, w, y, back } of cases) {
    const rows = setting.n ** 2, columns = y.length, c = convolutionMatrix(setting), transposed = matrix(setting)
    for (let i = 0; i < rows; i++)
      for (let o = 0; o < columns; o++) assert.equal(c[i * columns + o], transposed[o * rows + i])
    const found = Array.from({ length: rows }, (_, i) => y.reduce((sum, v, o) => {
      const t = c[i * columns + o]
      return t < 0 ? sum : sum + v * w[t]
    }, 0))
    same(found, back, `C y ${JSON.stringify(setting)}`)
    same(convolve(setting, y, w), back, `convolve ${JSON.stringify(setting)}`)
  }
})

test("overlap, and upsampling with a convolution, are PyTorch's", () => {
  for (const { setting, x, w, overlap: counts, upsampled: expected } of cases) {
    same(overlap(setting), counts, `overlap ${JSON.stringify(setting)}`)
    same(upsampled(setting, x, w).y, expected, `upsampled ${JSON.stringify(setting)}`)
  }
})

test("exactly what PyTorch takes is offered", () => {
  for (const [setting, accepted] of refusals) {
    const within = ["p", "e"].every((name) => setting[name] >= range(setting, name)[0] && setting[name] <= range(setting, name)[1])
    assert.equal(within, accepted, JSON.stringify(setting))
    const near = nearest(setting)
    assert.ok(outSide(near) >= 1 && near.e < near.s)
    if (accepted) assert.deepEqual(near, setting)
  }
})

test("partial sums add up: every step adds to the one before, and the last is all", () => {
  for (const { setting, x, w, y } of cases.slice(0, 60)) {
    same(stamp(setting, x, w, 0), y.map(() => 0), "no stamp")
    same(stamp(setting, x, w, x.length), y, "all stamps")
    const half = Math.floor(y.length / 2), found = slide(setting, x, w, half)
    same(found.slice(0, half), y.slice(0, half), "half of the cells")
    same(found.slice(half), y.slice(half).map(() => 0), "and no others")
  }
})

test("the sum that is written out is the cell's", () => {
  for (const { setting, x, w, y } of cases.slice(0, 100)) {
    const scene = { setting, links: links(setting), x, w }
    for (const cell of [0, Math.floor(y.length / 2), y.length - 1]) {
      const parts = sumOf(scene, cell, () => true), terms = parts.filter(({ input }) => input !== undefined)
      const total = terms.reduce((sum, { input, kernel }) => sum + x[input] * w[kernel], 0)
      assert.ok(Math.abs(total - y[cell]) < 1e-9)
      if (terms.length) assert.equal(parts.at(-1).text, ` = ${say(y[cell])}`)
      const none = sumOf(scene, cell, () => false)
      if (terms.length) assert.equal(none.at(-1).text, ` = 0 so far, ${terms.length} to come`)
    }
  }
})

test("what belongs together is marked in every view, whichever of it is pointed at", () => {
  const { setting } = cases.find(({ setting: { n, k, s } }) => n === 3 && k > 2 && s === 2), all = links(setting)
  for (const [o, pairs] of all.to.entries())
    for (const [i, t] of pairs) {
      const marks = marksOf(setting, all, { kind: "o", cell: o })
      assert.equal(mainOf(marks.outputs), o)
      assert.ok(marks.inputs.has(i) && marks.kernels.has(t))
      assert.ok(marksOf(setting, all, { kind: "i", cell: i }).outputs.has(o))
      assert.ok(marksOf(setting, all, { kind: "k", cell: t }).outputs.has(o))
      const entry = marksOf(setting, all, { kind: "e", cell: o * setting.n ** 2 + i })
      assert.deepEqual([mainOf(entry.outputs), mainOf(entry.inputs), mainOf(entry.kernels)], [o, i, t])
    }
})

test("a window of the spread-out input holds the cells of the output cell's sum", () => {
  for (const { setting } of cases.slice(0, 60)) {
    const { side, at } = spread(setting), m = outSide(setting), { k } = setting
    assert.equal(side, m + k - 1)
    links(setting).to.forEach((pairs, o) => {
      const seen = []
      for (let t = 0; t < k * k; t++) {
        const i = at(Math.floor(o / m) + Math.floor(t / k), (o % m) + (t % k))
        if (i >= 0) seen.push([i, turned(Array.from({ length: k * k }, (_, q) => q))[t]])
      }
      assert.deepEqual(seen.sort((a, b) => a[0] - b[0]), pairs.toSorted((a, b) => a[0] - b[0]))
    })
  }
})

test("a zero says whether it lies between cells or around them", () => {
  const setting = { n: 2, k: 3, s: 2, p: 1, e: 1 }, { side, border } = spread(setting)
  const scene = { setting, links: links(setting), x: [1, 2, 3, 4], w: Array(9).fill(1) }
  const says = (row, column) => sentence(scene, { kind: "z", cell: row * side + column }, () => true)[0].text
  assert.match(says(border, border + 1), /between two input cells/)
  assert.match(says(0, 0), /border: kernel − 1 − padding = 1 .* 1 more below/)
})

test("the state as it opens is the overview's, and Python's lessons count on its numbers", () => {
  const state = parse({}), { n, k, s, p, e } = state
  assert.deepEqual({ n, k, s, p, e }, { n: 2, k: 3, s: 1, p: 0, e: 0 })
  for (const [name, text] of Object.entries(start.setting)) assert.equal(state[name], Number(text))
  assert.equal(outSide(state), 4)
  assert.equal(inputOf(state).join(" "), start.x)
  assert.equal(kernelOf(state).join(" "), start.w)
  assert.deepEqual(asText(state), {})
})

test("a lesson's link opens the setting that Python computes with", () => {
  for (const { link, setting } of lessons) {
    const state = parse(link)
    for (const [name, value] of Object.entries(setting)) assert.equal(state[name], value, `${name} of ${JSON.stringify(link)}`)
    for (const [name, text] of Object.entries(link)) assert.equal(asText(state)[name] ?? asText(START)[name] ?? String(START[name]), text)
  }
})

test("any state survives its link", () => {
  for (const { setting, x, w } of cases.slice(0, 80)) {
    let state = withSetting(setting)
    state = { ...state, x: withInput(state, x.map((v) => Math.round(v * 100) / 100)), view: "matrix", order: "output", at: 0, pin: "i0", show: "C", flat: false, seed: 7, model: "dcgan-28", op: 4, map: 3, sum: 2 }
    const back = parse(asText(state))
    assert.deepEqual(inputOf(back), inputOf(state))
    assert.deepEqual(asText(back), asText(state))
    assert.equal(w.length, setting.k ** 2)
  }
})
const withSetting = (setting) => ({ ...parse({}), ...setting })

test("a link that makes no sense keeps what is right about it", () => {
  for (const bad of [{ n: "99" }, { n: "two" }, { k: "0" }, { s: "-1" }, { x: "1 2" }, { x: "1 2 3 nine" }, { view: "<b>" }, { pin: "q9" }, { at: "1e9" }])
    assert.deepEqual(parse(bad), START, JSON.stringify(bad))
  const state = parse({ n: "1", k: "1", p: "9", e: "9", s: "2" }) // what PyTorch would refuse gives way
  assert.deepEqual([state.n, state.k, state.p, state.e], [1, 1, 0, 1])
  assert.equal(pinOf({ ...START, pin: "o16" }), null)
  assert.deepEqual(parse({ x: "1000 -1000 0.126 0" }).x.slice(0, 2), [99, -99])
})

test("changing a number keeps the cells that both sizes have, and the painted numbers", () => {
  const large = changed(START, { n: 7, s: 3, k: 5 })
  assert.equal(outSide(large), 23)
  assert.equal(stepsOf({ ...large, order: "output" }), 529)
  const small = changed({ ...large, p: 2 }, { n: 1, k: 2 })
  assert.ok(outSide(small) >= 1)
  assert.deepEqual(inputOf(changed(large, { n: 2 })), [1, 2, 3, 4])
  assert.equal(stepOf({ ...small, at: 500 }), stepsOf(small))
  assert.equal(pinOf(changed(START, { n: 3 })).cell, 6) // row 1, column 1 of 5 x 5
})

test("examples and fills give valid states, and the checkerboard's are what they say", () => {
  for (const make of [...Object.values(EXAMPLES), ...Object.values(FILLS)]) {
    const state = make(START), { n, k, s, p, e } = state
    assert.deepEqual(nearest({ n, k, s, p, e }), { n, k, s, p, e })
    assert.equal(inputOf(state).length, n * n)
  }
  const ways = (state) => both(state, inputOf(state), kernelOf(state)).map(({ count, y }, way) =>
    [inner(count, edges(state)[way]), inner(y, edges(state)[way])])
  const board = EXAMPLES["Checkerboard: kernel 3, stride 2"](START), [stamps, upsampling] = ways(board)
  assert.deepEqual(stamps[0], [1, 4])
  assert.ok(stamps[1][0] < stamps[1][1])
  assert.deepEqual(upsampling[0], [9, 9])
  assert.equal(upsampling[1][0], upsampling[1][1])
  assert.deepEqual(ways(EXAMPLES["Bilinear kernel, stride 2"](START))[0][1], [1, 1])
  assert.deepEqual(inner(overlap(EXAMPLES["Doubling as in conv-vae-20"](START)), 1), [4, 4])
  assert.deepEqual(inner(overlap(EXAMPLES["Kernel 2, stride 2: no overlap"](START)), 0), [1, 1])
  assert.equal(inner(overlap(EXAMPLES["Stride 3, kernel 2: gaps"](START)), 0)[0], 0)
})

test("the PyTorch line names what isn't 0", () => {
  assert.equal(pytorchLine({ n: 2, k: 3, s: 1, p: 0, e: 0 }), "y = F.conv_transpose2d(x, w, stride=1)")
  assert.equal(pytorchLine({ n: 2, k: 3, s: 2, p: 1, e: 1 }), "y = F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1)")
  assert.match(pytorchScript({ n: 1, k: 1, s: 1, p: 0, e: 0 }, [2], [0.5]), /x = torch\.tensor\(\[\[\[\[2\.0\]\]\]\]\)\nw = torch\.tensor\(\[\[\[\[0\.5\]\]\]\]\)/)
})

const floats = (text) => new Float32Array(fromText(text).buffer)

for (const { name, model, weights, z, activations, tolerance } of given.decoders) {
  test(`${name}: every operation's numbers are the Python reference's`, () => {
    const decoder = compileDecoder(model, fromText(weights)), code = floats(z).subarray(0, model.latent_dim)
    const found = decoder.trace(code)
    assert.equal(found.length, activations.length)
    found.forEach((values, q) => {
      const expected = floats(activations[q])
      assert.equal(values.length, expected.length)
      assert.ok(off(values, expected) < tolerance, `${decoder.operations[q].op}: off by ${off(values, expected)}`)
    })
    assert.deepEqual(found.at(-1), decoder.decode(code))
  })

  test(`${name}: input maps add up to each output map`, () => {
    const decoder = compileDecoder(model, fromText(weights)), results = decoder.trace(floats(z).subarray(0, model.latent_dim))
    decoder.operations.forEach((op, q) => {
      if (!["conv", "conv_transpose"].includes(op.op)) return
      const shape = decoder.operations[q - 1].shape, [inputs, h, w] = shape
      for (let o = 0; o < op.shape[0]; o++) {
        const total = new Float64Array(op.shape[1] * op.shape[2]).fill(op.bias[o])
        for (let c = 0; c < inputs; c++)
          contribution(op, mapOf(results[q - 1], shape, c), [h, w], kernelBetween(op, inputs, c, o)).forEach((v, i) => { total[i] += v })
        const found = mapOf(results[q], op.shape, o)
        assert.ok(off(total, found) < 1e-4, `map ${o} of ${op.op}: off by ${off(total, found)}`)
      }
    })
  })
}

test("a walk visits each operation, and each map of a convolution", () => {
  const walk = walkOf([{ op: "linear", shape: [8] }, { op: "conv_transpose", shape: [3, 2, 2] }, { op: "relu", shape: [3, 2, 2] }])
  assert.deepEqual(walk, [[0, -1], [1, 0], [1, 1], [1, 2], [2, -1]])
})

test("z is the same for the same seed, and standard normal", () => {
  assert.deepEqual(gaussians(3, 20), gaussians(3, 20))
  assert.notDeepEqual(gaussians(3, 20), gaussians(4, 20))
  const many = gaussians(1, 20000), mean = many.reduce((a, v) => a + v, 0) / many.length
  const variance = many.reduce((a, v) => a + (v - mean) ** 2, 0) / many.length
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean} ${variance}`)
})
