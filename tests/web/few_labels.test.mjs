// The list of labels and the way of the arrow keys from digit to digit.
import assert from "node:assert/strict"
import test from "node:test"
import { LabelList, neighbourTowards } from "../../genlib/web/few_labels/labels.js"

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
})
