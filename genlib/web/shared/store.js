// What all components of a page share: decoders, codes, pictures. They travel once, to a component
// that only stores them; the others wait for them here. Streamlit gives each component its own copy
// of this module, so the store itself hangs on the page.
const MOST = 6
const page = (globalThis[Symbol.for("genlib")] ??= { ready: new Map(), waiting: new Map() })

/** Whether something is stored under this name. @param {string} name @returns {boolean} */
export const isShared = (name) => page.ready.has(name)

/** Store a value and hand it to all who wait for it; the oldest of more than six goes.
 * @param {string} name @param {object} value */
export const share = (name, value) => {
  const { ready, waiting } = page
  ready.set(name, value)
  while (ready.size > MOST) ready.delete(ready.keys().next().value)
  for (const use of waiting.get(name) ?? []) use(value)
  waiting.delete(name)
}

/** Call `use` with what is stored under this name, now or once it arrives.
 * @param {string} name @param {(value: object) => void} use */
export const withShared = (name, use) => {
  const { ready, waiting } = page
  if (ready.has(name)) return use(ready.get(name))
  if (!waiting.has(name)) waiting.set(name, [])
  waiting.get(name).push(use)
}
