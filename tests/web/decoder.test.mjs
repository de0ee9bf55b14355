import assert from "node:assert/strict"
import { test } from "node:test"
import { compileDecoder } from "../../genlib/web/shared/decoder.js"
import { fromText } from "../../genlib/web/shared/packet.js"
import { given } from "./given.mjs"

const floats = (text) => new Float32Array(fromText(text).buffer)

for (const { name, model, weights, z, expected, tolerance } of given.decoders) {
  test(`${name} gives the pixels of the Python reference`, () => {
    const decoder = compileDecoder(model, fromText(weights))
    const codes = floats(z), pixels = floats(expected), n = codes.length / model.latent_dim
    const size = pixels.length / n
    assert.equal(decoder.channels * decoder.height * decoder.width, size)
    let worst = 0
    for (let k = 0; k < n; k++) {
      const found = decoder.decode(codes.subarray(k * model.latent_dim, (k + 1) * model.latent_dim))
      assert.equal(found.length, size)
      for (let i = 0; i < size; i++) worst = Math.max(worst, Math.abs(found[i] - pixels[k * size + i]))
    }
    assert.ok(worst < tolerance, `off by ${worst}`)
  })
}

test("an operation that is not known is refused by name", () => {
  const model = { ops: [{ op: "gelu", shape: [1] }], dtype: "float32", latent_dim: 1, shape: [1, 1, 1], macs: 0 }
  assert.throws(() => compileDecoder(model, new Uint8Array(0)), /"gelu"/)
})
