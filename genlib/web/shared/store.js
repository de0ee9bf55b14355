// What all components of a page share: decoders, codes, pictures. They travel once, to a component
// that only stores them; the others wait for them here. Streamlit gives each component its own copy
// of this module, so the store itself hangs on the page.
const MOST = 6
const page = (globalThis[Symbol.for("genlib")] ??= { ready: new Map(), waiting: new Map(), held: new Map() })

// What somebody holds stays, however much there is; of the rest, the oldest goes.
const evict = () => {
  const { ready, held } = page
  for (const name of [...ready.keys()]) {
    if (ready.size <= MOST) return
    if (!held.has(name)) ready.delete(name)
  }
}

/** Whether something is stored under this name. @param {string} name @returns {boolean} */
export const isShared = (name) => page.ready.has(name)

/** Store a value and hand it to all who wait for it. Of more than six, the oldest that nobody holds goes.
 * @param {string} name @param {object} value */
export const share = (name, value) => {
  const { ready, waiting } = page
  ready.set(name, value)
  evict()
  for (const use of waiting.get(name) ?? []) use(value)
  waiting.delete(name)
}

/** Keep what is, or will be, stored under this name. @param {string} name
 * @returns {() => void} lets it go; call it once */
export const hold = (name) => {
  const { held } = page
  held.set(name, (held.get(name) ?? 0) + 1)
  return () => {
    const others = held.get(name) - 1
    if (others) held.set(name, others)
    else held.delete(name)
    evict()
  }
}

/** Call `use` with what is stored under this name, now or once it arrives.
 * @param {string} name @param {(value: object) => void} use @returns {() => void} stops waiting */
export const withShared = (name, use) => {
  const { ready, waiting } = page
  if (ready.has(name)) use(ready.get(name))
  else if (waiting.has(name)) waiting.get(name).add(use)
  else waiting.set(name, new Set([use]))
  return () => {
    const others = waiting.get(name)
    others?.delete(use)
    if (others?.size === 0) waiting.delete(name)
  }
}

/** Waits for one thing of the store at a time: the one that was asked for last. */
export class Wanted {
  /** @param {string | undefined} name nothing is asked for where it is "" @param {(value: object) => void} use */
  ask(name, use) {
    this.stop()
    if (name) this.leave = withShared(name, use)
  }
  stop() {
    this.leave?.()
    this.leave = null
  }
}
