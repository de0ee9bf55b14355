import assert from "node:assert/strict"
import { test } from "node:test"
import { fromText, unpack } from "../../genlib/web/shared/packet.js"
import { given } from "./given.mjs"

const { packet } = given
const plain = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) =>
  [name, ArrayBuffer.isView(value) ? [value.constructor.name, ...value] : value]))

test("a packet from Python arrives whole, wherever it begins in memory", () => {
  const bytes = fromText(packet.bytes)
  for (const shift of [0, 1, 4]) {
    const moved = new Uint8Array(bytes.length + shift)
    moved.set(bytes, shift)
    assert.deepEqual(plain(unpack(moved.subarray(shift))), packet.expected)
  }
})

test("arrays are views of the packet where it begins at a multiple of four", () => {
  const bytes = fromText(packet.bytes)
  assert.equal(unpack(bytes).f.buffer, bytes.buffer)
})
