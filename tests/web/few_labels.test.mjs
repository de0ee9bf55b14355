// The list of labels, the way of the arrow keys from digit to digit, and classifiers like the server's.
import assert from "node:assert/strict"
import test from "node:test"
import { LabelList, listOf, textOf } from "../../genlib/web/few_labels/labels.js"
import { leastCertain, LEARNERS, learnersFor, likeliest, scoreOf } from "../../genlib/web/few_labels/learn.js"
import { fromText, unpack } from "../../genlib/web/shared/packet.js"
import { neighbourTowards } from "../../genlib/web/shared/plane.js"
import { given } from "./given.mjs"

const floats = (text) => new Float32Array(fromText(text).buffer)
const CLASSES = ["0", "1", "2", "3"]
const material = unpack(fromText(given.few_labels.material))

for (const { pairs, expected } of given.few_labels.cases) {
  for (const [name, { pool, test: others, right, next }] of Object.entries(expected)) {
    test(`${name} with ${pairs.length} labels guesses as on the server`, () => {
      const found = LEARNERS[name](material, pairs, CLASSES.length)
      for (const [ours, theirs] of [[found.pool, floats(pool)], [found.test, floats(others)]]) {
        assert.equal(ours.length, theirs.length)
        const off = ours.reduce((worst, share, i) => Math.max(worst, Math.abs(share - theirs[i])), 0)
        assert.ok(off < 1e-3, `probabilities are off by ${off}`)
        assert.deepEqual(likeliest(ours, 4).guesses, likeliest(theirs, 4).guesses)
      }
      const percent = `${(100 * right).toFixed(1)}%`
      const score = scoreOf(found, material.truth, CLASSES.length, pairs.length)
      assert.ok(score.startsWith(`${pairs.length} label`) && score.includes(`: ${percent} ± `), score)
      if (pairs.length > 2) assert.equal(leastCertain(found.pool, pairs, CLASSES).row, next)
    })
  }
}

test("without codes no picture is the nearest", () => {
  assert.deepEqual(learnersFor(material), ["Label spreading", "Nearest neighbour"])
  assert.deepEqual(learnersFor({ ...material, d: 0 }), ["Label spreading"])
})

test("labels go into the link and come back; what names nothing is dropped", () => {
  const numbers = Int32Array.of(12, 1043, 7)
  assert.equal(textOf([[1, 7], [0, 3]], numbers), "1043.7-12.3")
  assert.deepEqual(listOf("1043.7-12.3", numbers, 10), [[1, 7], [0, 3]])
  assert.deepEqual(listOf("1043.7-12.12-99.1-x.1-7-1043.4-.", numbers, 10), [[1, 4]])
})

test("a label is given, changed, taken away and brought back", () => {
  const list = new LabelList()
  assert.equal(list.set(5, 3), true)
  assert.equal(list.set(5, 3), false) // nothing new, nothing to undo
  list.set(7, 1)
  list.set(5, 4)
  assert.deepEqual(list.pairs, [[7, 1], [5, 4]]) // the last given comes last
  assert.equal(list.of(5), 4)
  assert.deepEqual(list.counts(5), [0, 1, 0, 0, 1])
  list.set(7, -1)
  assert.equal(list.of(7), -1)
  list.undo()
  list.undo()
  assert.deepEqual(list.pairs, [[5, 3], [7, 1]])
})

test("reset can be undone, and labels from a link go one by one", () => {
  const list = new LabelList([[1, 0], [2, 9]])
  list.change([])
  assert.equal(list.undo(), true)
  assert.deepEqual(list.pairs, [[1, 0], [2, 9]])
  list.undo()
  assert.deepEqual(list.pairs, [[1, 0]])
  list.undo()
  assert.equal(list.undo(), false)
})

test("arrow keys go to the near point on that side", () => {
  const places = [[50, 50], [80, 52], [60, 90], [20, 45], [300, 50]]
  assert.equal(neighbourTowards(-1, places, 1, 0, [79, 50]), 1) // at first: the middle
  assert.equal(neighbourTowards(0, places, 1, 0), 1)
  assert.equal(neighbourTowards(1, places, 1, 0), 4)
  assert.equal(neighbourTowards(0, places, 0, 1), 2)
  assert.equal(neighbourTowards(0, places, -1, 0), 3)
  assert.equal(neighbourTowards(4, places, 1, 0), 4) // nothing further on that side
  assert.equal(neighbourTowards(0, places.with(1, [NaN, NaN]), 1, 0), 4) // one that isn't shown is skipped
})
