import assert from "node:assert/strict"
import { test } from "node:test"
import { decimals, limits, readable, readableExp, ticks } from "../../genlib/web/shared/chart.js"
import { packPoints, unpackPoints } from "../../genlib/web/shared/lab.js"
import { escaped, nameAndUnit } from "../../genlib/web/shared/panel.js"

test("ticks are round, within the axis, and about as many as asked for", () => {
  assert.deepEqual(ticks(136.2, 202.4, 8), [140, 150, 160, 170, 180, 190, 200])
  assert.deepEqual(ticks(-0.31, 0.31, 3), [-0.2, 0, 0.2])
  for (const [low, high] of [[0, 1e-6], [-5e7, 3e8], [0.1, 0.9]]) {
    const found = ticks(low, high, 6)
    assert.ok(found.length >= 3 && found.length <= 13, `${found}`)
    assert.ok(found.every((x) => x >= low - 1e-12 && x <= high + 1e-12))
  }
})

test("ticks are few, whatever the numbers are", () => {
  const ends = [[-1e9, 1e9], [1e9 - 1e-6, 1e9], [0, 1e300], [-1e308, 1e308], [0, Infinity], [NaN, 1], [3, 3]]
  for (const [low, high] of ends) assert.ok(ticks(low, high, 8).length <= 40, `${low} to ${high}`)
})

test("powers of e are written where doubles end", () => {
  assert.equal(readableExp(Math.log(0.25)), "0.25")
  assert.equal(readableExp(-1000 * Math.LN10 + Math.log(2)), "2·10^−1000")
  assert.equal(readableExp(400.5 * Math.LN10), "3.2·10^400")
})

test("numbers are written as people read them", () => {
  assert.deepEqual([readable(171.1749), readable(-0.5), decimals(-7.29812)], ["171.2", "−0.5", "−7.298"])
  assert.deepEqual([readable(2.5e8), readable(2e-7)], ["2.5·10^8", "2·10^−7"])
  assert.equal(decimals(-156770467.4), "−1.6 · 10<sup>8</sup>")
  assert.deepEqual(limits([0, 10], 0.1), [-1, 11])
  assert.deepEqual(limits([3, 3], 0.1), [2.9, 3.1])
})

test("own points travel in the link, with their class where it isn't the first", () => {
  const points = [[170.25, 65, 0], [181.5, 80.1, 1], [-3, 0.001, 0]]
  assert.equal(packPoints(points), "170.25,65;181.5,80.1,1;-3,0.001")
  assert.deepEqual(unpackPoints(packPoints(points)), points)
})

test("a link with anything else in it gives fewer points and no error", () => {
  assert.deepEqual(unpackPoints("1,2;x,3;4;5,6,7;;NaN,1;Infinity,2"), [[1, 2, 0], [5, 6, 0]])
  assert.equal(unpackPoints("1,2;".repeat(5000)).length, 120)
})

test("names from a file can't become HTML", () => {
  assert.equal(escaped(`<img src="x">`), "&#60;img src=&#34;x&#34;&#62;")
  assert.deepEqual(nameAndUnit("height, cm"), ["height", "cm"])
  assert.deepEqual(nameAndUnit("<b>"), ["&#60;b&#62;", ""])
})
