// What components do alike: follow the pointer and arrow keys, move frame by frame, live on a page.

/** How long the pointer must be still before the server hears of it. */
export const REST_MS = 150

/** x, kept between low and high. @param {number} x @param {number} [low] @param {number} [high] */
export const clamp = (x, low = 0, high = 1) => Math.min(high, Math.max(low, x))

/** Where in an element a pointer is: (0, 0) is its top left corner, (1, 1) its bottom right.
 * @param {PointerEvent} event @param {Element} element @returns {[number, number]} not clamped */
export const placeIn = (event, element) => {
  const box = element.getBoundingClientRect()
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
}

const TAP = 8 // CSS pixels by which a finger slips that only taps

/** Whether a finger goes sideways, which is for the element; up or down scrolls the page, and the
 * browser takes the pointer away (touch-action: pan-y). @param {[number, number]} from @param {PointerEvent} event */
export const sideways = ([x, y], { clientX, clientY }) =>
  Math.abs(clientX - x) > TAP && Math.abs(clientX - x) > Math.abs(clientY - y)

/** Whether a finger that comes up has only tapped. @param {[number, number]} from @param {PointerEvent} event */
export const tapped = ([x, y], { clientX, clientY }) => Math.hypot(clientX - x, clientY - y) <= TAP

/** Call `move(x, y)` where a pointer goes down, and wherever it is dragged from there.
 * @param {HTMLElement} element
 * @param {(x: number, y: number) => void} move places as `placeIn` gives them
 * @param {() => boolean} [scrolls] whether a finger that goes up or down scrolls the page instead: then
 *   the element has touch-action: pan-y */
export const onDrag = (element, move, scrolls = () => false) => {
  let down = null // where a finger is that hasn't told yet what it wants
  element.onpointerdown = (event) => {
    element.setPointerCapture(event.pointerId)
    element.focus({ preventScroll: true })
    down = scrolls() && event.pointerType === "touch" ? [event.clientX, event.clientY] : null
    if (!down) move(...placeIn(event, element))
    event.preventDefault()
  }
  element.onpointermove = (event) => {
    if (!element.hasPointerCapture(event.pointerId) || (down && !sideways(down, event))) return
    down = null
    move(...placeIn(event, element))
  }
  element.addEventListener("pointerup", (event) => {
    if (down && tapped(down, event)) move(...placeIn(event, element))
    down = null
  })
}

/** Where each arrow key points: to the right, and down. */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

/** Call `step(right, down, event)` with -1, 0 or 1 each for every arrow key.
 * @param {HTMLElement} element @param {(right: number, down: number, event: KeyboardEvent) => void} step */
export const onArrows = (element, step) => {
  element.onkeydown = (event) => {
    const by = ARROWS[event.key]
    if (!by) return
    event.preventDefault()
    step(...by, event)
  }
}

/** Draws in the next animation frame, once, however often it is asked to. */
export class NextFrame {
  /** @param {(now: number) => void} draw */
  constructor(draw) { this.draw = draw; this.id = 0 }
  ask() {
    this.id ||= requestAnimationFrame((now) => { this.id = 0; this.draw(now) })
  }
  cancel() { cancelAnimationFrame(this.id); this.id = 0 }
}

/** Calls `tell` once nothing has moved for a while. */
export class Rest {
  /** @param {() => void} tell @param {number} [ms] */
  constructor(tell, ms = REST_MS) { Object.assign(this, { tell, ms, timer: 0 }) }

  /** Something moved: wait again. @param {number} [ms] */
  moved(ms = this.ms) { clearTimeout(this.timer); this.timer = setTimeout(this.tell, ms) }
  cancel() { clearTimeout(this.timer) }
}

/** A frame that comes late counts as this many seconds, so that nothing is skipped. */
const LONGEST_S = 0.1

/** A loop over animation frames that a button starts and stops. */
export class Player {
  /** @param {(seconds: number) => boolean | void} step called in each frame with the time since the
   *   one before; plays until it returns false
   * @param {(playing: boolean) => void} [show] called whenever it starts or stops */
  constructor(step, show = () => {}) {
    Object.assign(this, { step, show, frame: 0 })
  }
  get playing() { return this.frame !== 0 }
  play() {
    if (this.playing) return
    let before = performance.now()
    const next = (now) => {
      const seconds = clamp((now - before) / 1000, 0, LONGEST_S) // the first frame may have begun before us
      before = now
      this.frame = requestAnimationFrame(next)
      if (this.step(seconds) === false) this.stop()
    }
    this.frame = requestAnimationFrame(next)
    this.show(true)
  }
  stop() {
    if (!this.playing) return
    cancelAnimationFrame(this.frame)
    this.frame = 0
    this.show(false)
  }
  toggle() { if (this.playing) this.stop(); else this.play() }
}

/** Show on a button whether something plays.
 * @param {HTMLButtonElement} button @param {boolean} playing
 * @param {string} [start] the word that starts it */
export const markPlaying = (button, playing, start = "Play") => {
  button.textContent = playing ? "Pause" : start
  button.setAttribute("aria-pressed", String(playing))
}

/** Fill a slider up to where it stands. @param {HTMLInputElement} slider with the class "slider" */
export const fill = (slider) => {
  const { min, max, value } = slider
  slider.style.setProperty("--at", `${max - min > 0 ? (100 * (value - min)) / (max - min) : 100}%`)
}

/** A component's part of the page. */
export class View {
  /** @param {Element} parent @param {string} name its classes @param {string} html what is in it */
  constructor(parent, name, html) {
    this.root = parent.appendChild(document.createElement("div"))
    this.root.className = name
    this.root.innerHTML = html
    this.get = (selector) => this.root.querySelector(selector)
    this.gone = false // whether it has left the page
  }
  end() { this.gone = true; this.root.remove() }
}

/** A component as Streamlit calls it, with one view for each place on the page.
 *
 * What a call returns ends the view once its place has left the page. Streamlit also uses it where
 * newer data overtook the call; then the view goes on, with its history and all that it plays.
 * @param {(parent: Element, data: object) => {update: (given: object) => void, end: () => void}} build
 * @returns {(given: object) => () => void} the component's default export */
export const component = (build) => {
  const views = new WeakMap()
  return (given) => {
    const parent = given.parentElement
    if (!views.has(parent)) views.set(parent, build(parent, given.data))
    const view = views.get(parent)
    view.update(given)
    return () => {
      if (parent.isConnected) return
      view.end()
      views.delete(parent)
    }
  }
}
