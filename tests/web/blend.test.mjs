import assert from "node:assert/strict"
import { test } from "node:test"
import { BLEND, blendCodes } from "../../genlib/web/latent_map/blend.js"
import { fromText, unpack } from "../../genlib/web/shared/packet.js"
import { given } from "./given.mjs"

test("the blend of the nearest codes is that of Python", () => {
  const d = unpack(fromText(given.blend))
  assert.equal(d.k, BLEND)
  for (let i = 0; i < d.places.length / 2; i++) {
    const z = blendCodes(d.places[2 * i], d.places[2 * i + 1], d.positions, d)
    for (let j = 0; j < d.latents; j++) {
      const expected = d.expected[i * d.latents + j]
      assert.ok(Math.abs(z[j] - expected) < 1e-4, `place ${i}, latent ${j}: ${z[j]}, not ${expected}`)
    }
  }
})

test("fewer points than wanted are all blended", () => {
  const shared = { codes: Uint8Array.of(0, 255), low: [0], high: [1], latents: 1 }
  assert.equal(blendCodes(0.5, 0, Float32Array.of(0, 0, 1, 0), shared)[0], 0.5)
})
