// Keeps one history entry for each thing that a person does, so that one press of Back undoes it.
//
// Streamlit by itself makes an entry for each query parameter that a script writes, none for a
// widget that is bound to one, and one with an empty query when a page is left. Here the first
// change of the address after a press of a button or key makes an entry, and what the app adds to
// it (the z of another model, a parameter that is gone) goes into the same entry:
//
//   click        [gan?view=Walk] -> [gan?view=Walk][gan?view=Verdict]
//   click Home   [gan?view=Verdict] -> [gan?view=Verdict][home]
const VIEWS = /\.(view|model|show|by)$/ // bound widgets whose change is a step of its own

export default () => {
  if (window.genlibHistory) return
  window.genlibHistory = true
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history)
  let acted = false // whether the person did something that has no entry yet
  let entered = false // whether what the person did last has its entry
  const acts = () => { acted = true; entered = false }
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, acts, true)
  // A click without a pointer: by a script, or by a screen reader.
  addEventListener("click", (event) => { if (event.detail === 0) acts() }, true)
  addEventListener("popstate", () => { acted = entered = false }, true)

  history.pushState = (state, unused, url) => enter(state, url, true)
  history.replaceState = (state, unused, url) => enter(state, url, isStep(url))

  function enter(state, url, step) {
    const leaves = new URL(url ?? location.href, location.href).pathname !== location.pathname
    if (!(acted && step) && !(leaves && !entered)) return replace(state, "", url)
    acted = false
    entered = true
    push(state, "", url)
  }
}

// Whether a new address shows another view or model of the same page.
const isStep = (url) => {
  const next = new URL(url ?? location.href, location.href)
  if (next.pathname !== location.pathname) return false
  const then = new URLSearchParams(location.search), names = [...then.keys(), ...next.searchParams.keys()]
  return names.some((name) => VIEWS.test(name) && then.get(name) !== next.searchParams.get(name))
}
