// Draws nothing, unless it fails: fetches what is heavy (decoder, codes, pictures, layers) once, and
// shares it by name with the page's components. What it has brought stays until it leaves the page.
import { compileDecoder } from "../shared/decoder.js"
import { component } from "../shared/hand.js"
import { unpack } from "../shared/packet.js"
import { hold, isShared, share } from "../shared/store.js"

const TRIES = 5, PAUSE = 500 // ms, three times as long after each try
const FAILED = "A part of this page did not arrive. Reload the page to try again."
const coming = new Set()

/** The packet at this address. One that the server has forgotten is there again once the page has run.
 * @param {string} address @param {() => void} runAgain @returns {Promise<object>} */
const bring = async (address, runAgain) => {
  for (let tried = 1; ; tried++) {
    const answer = await fetch(address).catch((problem) => ({ ok: false, status: problem.message }))
    if (answer.ok) return unpack(new Uint8Array(await answer.arrayBuffer()))
    if (tried === TRIES) throw new Error(`${address}: ${answer.status}`)
    runAgain()
    await new Promise((go) => setTimeout(go, PAUSE * 3 ** (tried - 1)))
  }
}

/** Share what a packet holds. @param {object} values as `unpack` gives them @returns {Promise<void>} */
export const shareUnpacked = async ({ model, weights, atlas, ...given }) => {
  if (model) given.decoder = compileDecoder(model, weights)
  if (atlas) given.sheet = await createImageBitmap(new Blob([atlas], { type: "image/png" }))
  share(given.name, given)
}

const fetchAndShare = async (name, address, runAgain, tell) => {
  coming.add(name)
  try {
    await shareUnpacked(await bring(address, runAgain))
  } catch (problem) {
    console.error(problem)
    tell(FAILED)
  } finally {
    coming.delete(name)
  }
}

class Store {
  constructor(parent) { this.parent = parent }
  update({ data: { name, address }, setTriggerValue }) {
    const before = this.release
    this.release = hold(name)
    before?.()
    if (isShared(name) || coming.has(name)) return
    this.tell("")
    fetchAndShare(name, address, () => setTriggerValue("gone", true), (text) => this.tell(text))
  }
  tell(text) {
    const note = this.parent.querySelector("span")
    note.textContent = text
    note.hidden = !text
  }
  end() { this.release() }
}

export default component((parent) => new Store(parent))
