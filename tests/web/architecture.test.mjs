// Where the parts of a diagram are, and how wires run between them.
import assert from "node:assert/strict"
import test from "node:test"
import { barLength, layOut, wirePath } from "../../genlib/web/architecture/layout.js"

const block = (...shape) => ({ shape })
const vae = {
  dots: [["x", 0, 0], ["mu", 2, -0.42], ["logvar", 2, 0.35], ["eps", 3, 0.85], ["z", 3, 0], ["x_hat", 5, 0],
    ["kl", 2, -1.25], ["cost", 5, 1.3]].map(([key, column, row]) => ({ key, column, row })),
  parts: [
    { key: "encoder", column: 1, row: 0, blocks: [block(400), block(40)] },
    { key: "decoder", column: 4, row: 0, blocks: [block(400), block(1, 28, 28)] },
  ],
}
const bars = (n) => Array.from({ length: n }, () => block(32, 28, 28))
const gan = {
  dots: [["z", 0, -0.75], ["fake", 2, -0.75], ["x", 2, 0.75], ["verdict", 4, 0], ["d_loss", 5, 0.6],
    ["g_loss", 5, -0.6]].map(([key, column, row]) => ({ key, column, row })),
  parts: [{ key: "encoder", column: 1, row: -0.75, blocks: bars(6) }, { key: "decoder", column: 3, row: 0, blocks: bars(5) }],
}
const overlap = (a, b) => a.x < b.x + b.width - 0.5 && b.x < a.x + a.width - 0.5
  && a.y < b.y + b.height - 0.5 && b.y < a.y + a.height - 0.5

for (const [diagram, room, wide] of [[vae, 870, true], [vae, 500, true], [vae, 358, false], [gan, 870, true], [gan, 358, false]]) {
  test(`${diagram.dots.length} circles in ${room} pixels: nothing overlaps or leaves the drawing`, () => {
    const plan = layOut(diagram, room), keys = [...diagram.dots, ...diagram.parts].map((one) => one.key)
    assert.equal(plan.wide, wide)
    assert.ok(plan.width <= room)
    for (const a of keys) {
      const box = plan.boxes[a]
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= plan.width && box.y + box.height <= plan.height, a)
      for (const b of keys) assert.ok(a === b || !overlap(box, plan.boxes[b]), `${a} over ${b} in ${room}`)
    }
    const part = plan.boxes.encoder
    for (const k of [0, 1]) {
      const bar = plan.boxes[`encoder.${k}`]
      assert.ok(bar.x >= part.x && bar.x + bar.width <= part.x + part.width)
      assert.ok(bar.y >= part.y && bar.y + bar.height <= part.y + part.height)
    }
  })
}

test("bars grow with the logarithm of their numbers", () => {
  const [a, b, c] = [10, 100, 1000].map((n) => barLength(n, 1000))
  assert.ok(Math.abs((b - a) - (c - b)) < 1e-9)
  assert.ok(a < b && barLength(1, 1000) > 60) // room for the shape
})

test("a wire leaves on the right and ends on the left, or goes around what is between", () => {
  const box = (x, y) => ({ x, y, width: 58, height: 58 })
  assert.match(wirePath(box(0, 0), box(100, 40), true), /^M58 29 C.* 97 69$/)
  assert.match(wirePath(box(0, 0), box(0, 90), true), /^M29 58 L29 87$/)
  assert.match(wirePath(box(100, 0), box(100, 300), true), /^M100 29 C74 29 74 329 97 329$/)
})
