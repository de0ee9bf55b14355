import assert from "node:assert/strict"

/** Equal up to a relative 1e-9, or what is asked for; nested lists element by element. */
export const near = (found, expected, tolerance = 1e-9) => {
  if (Array.isArray(expected)) {
    assert.equal(found.length, expected.length)
    expected.forEach((value, i) => near(found[i], value, tolerance))
    return
  }
  const off = Math.abs(found - expected) / Math.max(1, Math.abs(expected))
  assert.ok(off < tolerance, `${found} instead of ${expected}`)
}
