// Present mode: the picture as large as fits, arrow keys for the page's main control, Space to play.
// The server folds away the rest (ui/kit/present.css); here is what needs the keyboard and the size.
import { keepPinned } from "./pin.js"
import { keepSteady } from "./steady.js"

const MOVABLE = ["input[type=range]", "[role=slider]", "canvas[tabindex]", "[tabindex='0']:not(.help)"]
const TYPED_INTO =
  "input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]"
const PLAYS = /^\W*(play|pause|start|stop|continue|run|resume)\b/i
const LARGEST = 3, STEP = 0.05
const EMPTY = 80 // pixels of height below which a stage shows nothing yet
const page = { control: "", on: false }

/** The elements below `root` that match, in shadow roots too.
 * @param {ParentNode} root @param {string} selector @returns {Generator<HTMLElement>} */
function* within(root, selector) {
  for (const element of root.querySelectorAll("*")) {
    if (element.matches(selector)) yield element
    if (element.shadowRoot) yield* within(element.shadowRoot, selector)
  }
}

const first = (root, selector, test = () => true) => {
  for (const element of root ? within(root, selector) : []) if (test(element)) return element
  return null
}

const stage = () => document.querySelector(".st-key-stage")

const usable = (element) => element.checkVisibility() && !element.disabled

const control = () => {
  const place = (page.control && document.querySelector(page.control)) || stage()
  return MOVABLE.map((selector) => first(place, selector, usable)).find(Boolean)
}

const says = (button) => (button.getAttribute("aria-label") ?? button.innerText).replace(/^[a-z_]+\n/, "")

const move = (event) => {
  const moved = control()
  if (!moved || event.composedPath().includes(moved)) return // it moves by itself
  event.preventDefault()
  moved.focus()
  if (moved.matches("input[type=range]")) {
    const more = event.key === "ArrowRight" || event.key === "ArrowUp"
    more ? moved.stepUp() : moved.stepDown()
    for (const kind of ["input", "change"]) moved.dispatchEvent(new Event(kind, { bubbles: true }))
  } else {
    const { key, code } = event
    moved.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, composed: true }))
  }
}

const play = (event) => {
  const plays = (button) => usable(button) && PLAYS.test(says(button).trim())
  const button = event.composedPath()[0].matches?.("button") ? null : first(stage(), "button", plays)
  if (!button) return
  event.preventDefault()
  button.click()
}

const pressed = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !event.isTrusted) return
  if (event.composedPath()[0].matches?.(TYPED_INTO)) return
  // P is the button's own shortcut, there as soon as the button is; Streamlit ignores it in an input.
  const ignored = event.composedPath().some((element) => element.matches?.("input, select"))
  if (ignored && event.key.toLowerCase() === "p") document.querySelector(".st-key-present button")?.click()
  if (!page.on) return
  if (event.key.startsWith("Arrow")) move(event)
  else if (event.key === " ") play(event)
}

/** Enlarge the stage until it fills the screen; 1 where it is larger already, or where what is in it
 * fits itself to the window and says so: data-fits. Vega measures its width in enlarged pixels, and
 * would draw over its neighbour. */
const fit = () => {
  const shown = stage()
  if (!shown) return
  shown.style.zoom = ""
  if (!page.on || first(shown, "[data-fits], [data-testid=stVegaLiteChart]")) return
  if (shown.getBoundingClientRect().height < EMPTY) return fitSoon() // its picture is still to come
  const room = innerHeight - shown.getBoundingClientRect().top - 12
  for (let zoom = LARGEST; zoom > 1; zoom -= STEP) {
    shown.style.zoom = zoom
    const { height } = shown.getBoundingClientRect()
    if (height <= room && shown.scrollWidth <= shown.clientWidth + 1) return
  }
  shown.style.zoom = ""
}

/** The first thing that Tab reaches leads past the menu and the controls. */
const addSkipLink = () => {
  const link = Object.assign(document.createElement("a"), { className: "genlib-skip", href: "#picture",
    textContent: "Skip to the picture" })
  link.onclick = (event) => {
    event.preventDefault()
    const target = stage() ?? document.querySelector("[data-testid=stMain]")
    target.tabIndex = -1 // it takes the focus, but Tab doesn't stop there
    target.focus()
  }
  document.body.prepend(link)
}

let waiting = 0
const fitSoon = () => {
  clearTimeout(waiting)
  waiting = setTimeout(fit, 150)
}

const asked = new Set() // modules that were fetched ahead

/** Fetch what the page will import before its parts are there to import it: one wave, not two.
 * @param {string[]} modules addresses from the server's root */
const fetchAhead = (modules) => {
  for (const address of modules) {
    if (asked.has(address)) continue
    asked.add(address)
    const href = new URL(`../../../..${address}`, import.meta.url).href
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }))
  }
}

export default ({ data: { modules, ...data } }) => {
  fetchAhead(modules)
  const changed = page.on !== data.on || page.control !== data.control
  Object.assign(page, data)
  if (!window.genlibPresents) {
    window.genlibPresents = true
    addSkipLink()
    keepSteady(() => page.on, fitSoon)
    addEventListener("keydown", pressed)
    addEventListener("resize", fitSoon)
    page.measure = keepPinned(stage)
  }
  page.measure?.()
  if (changed || data.on) fitSoon()
}
