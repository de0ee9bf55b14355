// Whether the page is still doing again what its link says was done, so that a lesson can wait with its
// explanation. Streamlit gives each component its own copy of this module, so this hangs on the page.
const page = (globalThis[Symbol.for("genlib.replay")] ??= new EventTarget())

export const isReplaying = () => page.on === true

/** @param {boolean} on */
export const setReplaying = (on) => {
  if (isReplaying() === on) return
  page.on = on
  page.dispatchEvent(new Event("change"))
}

/** Call `act` whenever it begins or ends. @param {() => void} act @returns {() => void} ends it */
export const onReplay = (act) => {
  page.addEventListener("change", act)
  return () => page.removeEventListener("change", act)
}
