import assert from "node:assert/strict"
import { test } from "node:test"

import { isShared, share, withShared } from "../../genlib/web/shared/store.js"
import view from "../../genlib/web/store/view.js"

/** A packet of plain values, as packet.py joins it. */
const packed = (values) => {
  const text = JSON.stringify({ values, parts: [] })
  const head = new TextEncoder().encode(text + " ".repeat((4 - (text.length % 4)) % 4))
  return new Uint8Array([...new Uint8Array(new Uint32Array([head.length]).buffer), ...head])
}

/** An element of a page with the note that a failure fills. */
const place = () => {
  const note = { hidden: true, textContent: "" }
  return { note, parentElement: { querySelector: () => note } }
}

const shared = (name) => new Promise((use) => withShared(name, use))

test("a packet is fetched once, however often the page runs", async () => {
  const asked = []
  globalThis.fetch = async (address) => {
    asked.push(address)
    return new Response(packed({ name: "a", sizes: [2] }))
  }
  const given = { data: { name: "a", address: "packets/a" }, setTriggerValue: assert.fail, ...place() }
  view(given)
  view(given)
  assert.deepEqual((await shared("a")).sizes, [2])
  view(given)
  assert.deepEqual(asked, ["packets/a"])
})

test("a packet that the server has forgotten comes once the page has run again", async () => {
  let runs = 0
  globalThis.fetch = async () =>
    runs ? new Response(packed({ name: "b" })) : new Response("gone", { status: 404 })
  view({ data: { name: "b", address: "packets/b" }, setTriggerValue: () => (runs += 1), ...place() })
  await shared("b")
  assert.equal(runs, 1)
  assert.ok(isShared("b"))
})

test("what never comes is said, and tried again with the page", async (t) => {
  let asked = 0
  globalThis.fetch = async () => {
    asked += 1
    return asked <= 5 ? new Response("gone", { status: 404 }) : new Response(packed({ name: "c" }))
  }
  t.mock.method(globalThis, "setTimeout", (go) => queueMicrotask(go))
  const complaint = t.mock.method(console, "error", () => {})
  const { note, parentElement } = place()
  const given = { data: { name: "c", address: "packets/c" }, setTriggerValue: () => {}, parentElement }
  view(given)
  while (note.hidden) await new Promise(setImmediate)
  assert.match(note.textContent, /Reload the page/)
  assert.equal(asked, 5)
  assert.equal(complaint.mock.callCount(), 1)
  view(given)
  await shared("c")
  assert.ok(note.hidden)
})

/** Mount a store; returns what Streamlit calls when it leaves the page. */
const mount = (name, { parentElement } = place()) =>
  view({ data: { name, address: `packets/${name}` }, setTriggerValue: assert.fail, parentElement })

const crowd = () => { for (let k = 0; k < 8; k++) share(`other${k}`, {}) }

test("what a store has brought stays while the store is there, and can go when it has left", async () => {
  globalThis.fetch = async (address) => new Response(packed({ name: address.split("/").pop() }))
  const here = place()
  mount("pictures", here)
  await shared("pictures")
  const leave = mount("pictures", here) // the page runs again; only the last cleanup is called
  crowd()
  assert.ok(isShared("pictures"))
  leave()
  crowd()
  share("one more", {})
  assert.ok(!isShared("pictures"))
})

test("a store that brings something else lets go of what it brought before", async () => {
  const here = place()
  mount("codes", here)
  await shared("codes")
  mount("newer codes", here)
  await shared("newer codes")
  crowd()
  share("one more", {})
  assert.ok(!isShared("codes") && isShared("newer codes"))
})
