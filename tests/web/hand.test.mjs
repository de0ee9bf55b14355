import assert from "node:assert/strict"
import { beforeEach, mock, test } from "node:test"
import { clamp, component, NextFrame, onArrows, Player, Rest } from "../../genlib/web/shared/hand.js"

// The browser's frames, one at a time and by hand.
let frames, now
const nextFrame = (ms) => {
  const due = [...frames.values()]
  frames.clear()
  now += ms
  for (const draw of due) draw(now)
}

beforeEach(() => {
  frames = new Map()
  now = 1000
  let id = 0
  globalThis.requestAnimationFrame = (draw) => (frames.set(++id, draw), id)
  globalThis.cancelAnimationFrame = (which) => frames.delete(which)
  mock.method(performance, "now", () => now)
})

test("a player tells each frame how long it took, until it is stopped", () => {
  const steps = [], shown = []
  const player = new Player((seconds) => { steps.push(seconds) }, (playing) => shown.push(playing))
  player.play()
  player.play() // plays already
  nextFrame(100)
  nextFrame(50)
  player.toggle()
  assert.equal(frames.size, 0)
  assert.deepEqual(steps, [0.1, 0.05])
  assert.deepEqual(shown, [true, false])
})

test("a player stops where its step says so, and plays again from there", () => {
  let left = 2
  const player = new Player(() => --left > 0)
  player.toggle()
  nextFrame(16)
  assert.ok(player.playing)
  nextFrame(16)
  assert.ok(!player.playing && frames.size === 0)
  left = 1
  player.toggle()
  assert.ok(player.playing)
})

test("a step may stop the player itself", () => {
  const player = new Player(() => player.stop())
  player.play()
  nextFrame(16)
  assert.ok(!player.playing && frames.size === 0)
})

test("time never runs backwards, though a frame may have begun before the hand", () => {
  const steps = []
  new Player((seconds) => { steps.push(seconds) }).play()
  nextFrame(-8)
  assert.deepEqual(steps, [0])
})

test("a late frame slows the player down and skips nothing", () => {
  const steps = []
  new Player((seconds) => { steps.push(seconds) }).play()
  nextFrame(3000)
  nextFrame(50)
  assert.deepEqual(steps, [0.1, 0.05])
})

test("a frame draws once however often it is asked for", () => {
  let drawn = 0
  const frame = new NextFrame(() => { drawn++ })
  frame.ask()
  frame.ask()
  nextFrame(16)
  assert.equal(drawn, 1)
  frame.ask()
  frame.cancel()
  nextFrame(16)
  assert.equal(drawn, 1)
})

test("only the last of many moves is a rest", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  let told = 0
  const rest = new Rest(() => { told++ }, 100)
  rest.moved()
  t.mock.timers.tick(99)
  rest.moved()
  t.mock.timers.tick(99)
  assert.equal(told, 0)
  t.mock.timers.tick(1)
  assert.equal(told, 1)
  rest.moved()
  rest.cancel()
  t.mock.timers.tick(1000)
  assert.equal(told, 1)
})

test("arrow keys step, other keys stay the browser's", () => {
  const element = {}, steps = []
  let prevented = 0
  onArrows(element, (right, down) => steps.push([right, down]))
  for (const key of ["ArrowLeft", "ArrowDown", "a"]) element.onkeydown({ key, preventDefault: () => prevented++ })
  assert.deepEqual(steps, [[-1, 0], [0, 1]])
  assert.equal(prevented, 2)
})

test("one view for each place on the page, forgotten when it leaves", () => {
  const told = []
  const show = component(({ name }) => ({
    update: ({ data }) => told.push(`${name}${data}`), end: () => told.push(`${name} left`) }))
  const a = { name: "a", isConnected: true }, b = { name: "b", isConnected: true }
  const overtaken = show({ parentElement: a, data: 1 })
  show({ parentElement: b, data: 2 })
  const end = show({ parentElement: a, data: 3 })
  overtaken() // by the data after them: the place is still there
  assert.deepEqual(told, ["a1", "b2", "a3"])
  a.isConnected = false
  end()
  assert.deepEqual(told, ["a1", "b2", "a3", "a left"])
})

test("clamp keeps a number in its bounds", () => {
  assert.deepEqual([clamp(-1), clamp(0.5), clamp(9, 0, 4)], [0, 0.5, 4])
})
