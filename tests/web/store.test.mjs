import assert from "node:assert/strict"
import { test } from "node:test"

// Streamlit gives each component an instance of its own; another address is another instance.
const one = await import("../../genlib/web/shared/store.js?one")
const other = await import("../../genlib/web/shared/store.js?other")

test("components with their own copies of the module share what is stored", () => {
  const got = []
  assert.notEqual(one.share, other.share)
  one.withShared("a", (value) => got.push(["before", value]))
  assert.ok(!one.isShared("a"))
  other.share("a", 1)
  one.withShared("a", (value) => got.push(["after", value]))
  assert.deepEqual(got, [["before", 1], ["after", 1]])
  other.share("a", 2)
  assert.equal(got.length, 2, "who waited is served once")
})

test("the oldest of more than six goes", () => {
  for (let k = 0; k < 6; k++) one.share(`b${k}`, k)
  assert.ok(!other.isShared("a") && other.isShared("b0"))
})
