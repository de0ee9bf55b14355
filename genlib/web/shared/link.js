// The state of a page in its address, read and written without the server.
//
// A page that runs in the browser alone keeps its whole state here: `writeLink` when the pointer stops,
// `readLink` when the component is drawn. Streamlit sends the address along with the next rerun.

const KEPT = ["present", "embed", "embed_options"] // how a page is shown, not what it shows

// A file opened from a disk may not change its query: there the state is behind the "#".
const isFile = () => location.protocol === "file:"
const params = () => new URLSearchParams(isFile() ? location.hash.slice(1) : location.search)

/** What the address says below a prefix.
 * @param {string} prefix for example "gan_plane."
 * @returns {Object<string, string>} values by the name after the prefix */
export const readLink = (prefix) => Object.fromEntries(
  [...params()].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]))

/** Write values into the address; all others stay. Makes no entry in the history, except that a change of
 * a parameter that ends in ".view", ".show" or ".by" after a click is a step of its own.
 * @param {string} prefix @param {Object<string, string | number | boolean | null | undefined>} values
 *   null, undefined and "" remove the parameter: do so with defaults, so that links stay short */
export const writeLink = (prefix, values) => {
  const now = params()
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") now.delete(prefix + name)
    else now.set(prefix + name, String(value))
  }
  const text = now.toString()
  if (text === params().toString()) return
  if (isFile()) location.replace(`#${text}`)
  else history.replaceState(history.state, "", text ? `?${text}` : location.pathname)
}

/** Go to another state of this page, as Back and Forward do: every widget and component follows.
 * @param {Object<string, string>} state all of the new address's parameters */
export const goTo = (state) => {
  const then = new URLSearchParams(state)
  for (const name of KEPT) if (params().has(name)) then.set(name, params().get(name))
  history.pushState(history.state, "", then.size ? `?${then}` : location.pathname)
  dispatchEvent(new PopStateEvent("popstate", { state: history.state }))
}
