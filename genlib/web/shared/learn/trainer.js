// The page's end of a training session: in a worker of its own, or here where there can be none.

/** @typedef {{say: (message: object) => void, end: () => void}} Trainer */

/** @param {{address: string | URL, here: (post: (message: object) => void) => object,
 *   hear: (message: object) => void, failed?: () => void}} parts address of the worker's module; `here`
 *   makes the same session on the page; `hear` gets what it says
 * @returns {Trainer} */
export const trainerOf = ({ address, here, hear }) => {
  let now = null, said = []
  const onPage = () => {
    const session = here((message) => hear(message))
    now = { say: (message) => session.hear(message), end: () => session.end() }
    for (const message of said) now.say(message)
  }
  try {
    const worker = new Worker(address, { type: "module" })
    worker.onmessage = ({ data }) => { said = []; hear(data) }
    // The module could not be loaded: what was said until now is said again here.
    worker.onerror = (event) => {
      if (!said.length) throw event.error ?? new Error(event.message)
      worker.terminate()
      onPage()
    }
    now = {
      say: (message) => { said.push(message); worker.postMessage(message) },
      end: () => worker.terminate(),
    }
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error
    onPage()
  }
  return { say: (message) => now.say(message), end: () => now.end() }
}
