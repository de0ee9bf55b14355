import assert from "node:assert/strict"
import { test } from "node:test"

import { partOf } from "../../genlib/web/present/pin.js"

test("a low stage stays whole, and of a high one the part with the picture", () => {
  assert.deepEqual(partOf(400, 422, null), { from: 0, to: 400 })
  assert.deepEqual(partOf(900, 422, null), { from: 0, to: 422 })
  assert.deepEqual(partOf(650, 422, [0, 170]), { from: 0, to: 422 }, "in the upper half")
  assert.deepEqual(partOf(650, 422, [120, 470]), { from: 112, to: 534 }, "further down: from its top")
  assert.deepEqual(partOf(650, 422, [300, 640]), { from: 228, to: 650 }, "at the end: all that is below it, too")
})
