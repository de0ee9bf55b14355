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

test("what somebody holds stays until all have let it go", () => {
  const releases = [one.hold("kept"), other.hold("kept")]
  one.share("kept", 1)
  for (let k = 0; k < 9; k++) other.share(`c${k}`, k)
  assert.ok(one.isShared("kept") && !one.isShared("c3") && one.isShared("c8"))
  releases.pop()()
  other.share("c9", 9)
  assert.ok(one.isShared("kept"), "one still holds it")
  releases.pop()()
  other.share("c10", 10)
  assert.ok(!one.isShared("kept"), "an old name that nobody holds")
})

test("more than six that are held all stay, and leave no more than six behind", () => {
  const names = Array.from({ length: 8 }, (_, k) => `d${k}`)
  const releases = names.map((name) => one.hold(name))
  for (const name of names) one.share(name, name)
  assert.ok(names.every(one.isShared))
  for (const release of releases) release()
  assert.equal(names.filter(one.isShared).length, 6)
})

test("who stops waiting is not called, and the others are", () => {
  const got = []
  const stop = one.withShared("late", () => got.push("left"))
  other.withShared("late", () => got.push("stayed"))
  stop()
  one.share("late", 1)
  assert.deepEqual(got, ["stayed"])
  stop()
})

test("nothing of those who have stopped waiting is left on the page", () => {
  const { waiting } = globalThis[Symbol.for("genlib")]
  const stops = [one.withShared("never", assert.fail), other.withShared("never", assert.fail)]
  assert.ok(waiting.has("never"))
  for (const stop of stops) stop()
  assert.ok(!waiting.has("never"))
})

test("only what was asked for last comes", () => {
  const got = [], wanted = new one.Wanted()
  wanted.ask("first", (value) => got.push(value))
  wanted.ask("second", (value) => got.push(value))
  other.share("first", 1)
  other.share("second", 2)
  wanted.ask("third", (value) => got.push(value))
  wanted.ask("", assert.fail)
  other.share("third", 3)
  wanted.stop()
  assert.deepEqual(got, [2])
})
