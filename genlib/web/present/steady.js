// While a script runs, the stage stays: what is replaced in it must not pull up what stands below it, nor the
// place to which somebody has scrolled, and the old picture stays until the new one is there.
//
//   the script starts -> a rule with today's heights -> it ends -> the new picture is there -> no rule
//                        no picture in a frame -> the old ones again, where they were
//
// A rule, and not the elements' own style: Streamlit may replace the elements.
import { pictures } from "./pictures.js"

const QUIET = 300 // ms without a script, after which components have drawn
const LOOKS = 7 // after which nothing more is to come: a view of words and numbers
const WORDS = 40 // letters that stand for a picture
const IDLE = 2000 // ms that a busy browser may take to be idle before a look
const FRESH = 5000 // ms between a click and the script that it starts
const COMPONENT = "[data-testid^=stBidiComponent]" // of no height before its module is loaded
const STAGE = ".st-key-stage", MAIN = "[data-testid=stMain]", OLD = "genlib-old", BLOCK = "[data-testid=stMainBlockContainer]"

const stage = () => document.querySelector(STAGE)
const main = () => document.querySelector(MAIN)

const heightOf = (selector) => document.querySelector(selector)?.getBoundingClientRect().height ?? 0

/** Where what is in the stage ends, in px, whatever the rule; -1 before there is a picture and all
 * that comes with it. */
const endOfContent = () => {
  const place = stage()
  if (!place || !pictures(place).next().value) return -1
  const waits = [...place.querySelectorAll(COMPONENT)].some((one) => one.getBoundingClientRect().height === 0)
  return waits ? -1 : place.lastElementChild.getBoundingClientRect().bottom
}

/** The rule that keeps these heights, in px.
 * @param {Record<string, number>} heights by selector @returns {string} */
export const ruleFor = (heights) => Object.entries(heights)
  .filter(([, height]) => height > 0)
  .map(([selector, height]) => `${selector} { min-height: ${height}px; position: relative }`)
  .join("\n")

/** @param {HTMLCanvasElement | HTMLImageElement} element @returns {HTMLElement} the same picture */
const copyOf = (element) => {
  const copy = element.cloneNode()
  const drawn = element.matches("canvas") && element.width && element.height
  if (drawn) copy.getContext("2d").drawImage(element, 0, 0)
  return copy
}

// Pictures that Streamlit has taken off the page, or hides until the script ends, on it again. As copies: what
// is only hidden may be shown again.
class Old {
  constructor() { Object.assign(this, { kept: [], layer: null }) }

  keep() {
    const at = stage()?.getBoundingClientRect()
    this.drop()
    this.kept = [...pictures(stage())].filter(([element]) => element.matches("canvas, img"))
      .map(([element, box]) => ({ element, style: `position: absolute; pointer-events: none;
        left: ${box.left - at.left}px; top: ${box.top - at.top}px; width: ${box.width}px; height: ${box.height}px;
        image-rendering: ${getComputedStyle(element).imageRendering}` }))
  }

  /** Show them where there is no other picture; in each frame. */
  follow() {
    this.layer?.remove() // so that it doesn't count
    const place = stage()
    if (!this.kept.length || !place || pictures(place).next().value) return
    this.layer ??= this.drawn()
    place.append(this.layer)
  }

  drawn() {
    const layer = Object.assign(document.createElement("div"), { className: OLD, ariaHidden: "true" })
    layer.style.cssText = "position: absolute; left: 0; top: 0" // no gap around it
    for (const { element, style } of this.kept) {
      const copy = layer.appendChild(copyOf(element))
      copy.style.cssText = style
    }
    return layer
  }

  drop() {
    this.layer?.remove()
    Object.assign(this, { kept: [], layer: null })
  }
}

// Safari has no word for it: then a frame later.
const idle = (look) => window.requestIdleCallback?.(look, { timeout: IDLE }) ?? requestAnimationFrame(look)

/** Whether a change is one of the page's own, and not of the old pictures on it.
 * @param {MutationRecord} record @returns {boolean} */
const onPage = ({ target, addedNodes, removedNodes }) => {
  const own = (element) => element.closest?.(`.${OLD}`)
  return target.closest?.(BLOCK) && !own(target) && ![...addedNodes, ...removedNodes].every(own)
}

/** Keep a page steady from the start of each script to its end, unless `loose()`.
 * @param {() => boolean} loose @param {() => void} released what to do afterwards */
export const keepSteady = (loose, released) => {
  const app = document.querySelector("[data-testid=stApp]")
  const sheet = document.head.appendChild(document.createElement("style"))
  const old = new Old()
  let path = "", timer = 0, remembered = 0, heights = {}, scrolled = 0

  // A busy browser draws what the script sends together with the news that it runs: too late to measure. So
  // whoever clicks or types is the sign.
  const remember = () => {
    // Between two pictures, the one before them is still the one to keep.
    if (sheet.textContent && (old.layer?.isConnected || !pictures(stage()).next().value)) return
    remembered = performance.now()
    path = location.pathname
    scrolled = main()?.scrollTop ?? 0
    heights = { [STAGE]: heightOf(STAGE), [BLOCK]: heightOf(BLOCK) }
    old.keep()
    if (sheet.textContent) sheet.textContent = ruleFor(heights) // a page that opens had none
  }
  const stopLooking = () => { clearTimeout(timer); timer = 0 }
  const release = () => {
    stopLooking()
    old.drop()
    sheet.textContent = ""
    released()
  }
  // Looks are taken when the browser has nothing to draw: while it is busy, something is still to come.
  const settle = (looks, before) => {
    if (old.layer?.isConnected && stage().innerText.length >= WORDS) old.drop() // it would lie over the words
    const end = old.layer?.isConnected ? -1 : endOfContent()
    if ((end >= 0 && end === before) || looks === 0) release()
    else lookLater(looks - 1, end)
  }
  const lookLater = (looks = LOOKS, before = -1) => {
    clearTimeout(timer)
    const mine = timer = setTimeout(() => idle(() => { if (timer === mine) settle(looks, before) }), QUIET)
  }
  const hold = () => {
    if (sheet.textContent || location.pathname !== path) return
    // What the script has taken off the page so far may have pulled the rest up; no event has told of it yet.
    const page = main(), atEnd = page.scrollTop + page.clientHeight >= page.scrollHeight - 1
    sheet.textContent = ruleFor(heights)
    if (atEnd && page.scrollTop < scrolled) page.scrollTop = scrolled
    requestAnimationFrame(watch)
  }
  // In each frame, before it is drawn. Another page has heights of its own, and so has the page that is presented.
  const watch = () => {
    if (!sheet.textContent) return
    if (location.pathname !== path || loose()) return release()
    old.follow()
    requestAnimationFrame(watch)
  }
  const follow = () => {
    stopLooking()
    if (app.dataset.testScriptState === "notRunning") return sheet.textContent && lookLater()
    if (sheet.textContent || loose()) return
    if (performance.now() > remembered + FRESH) remember()
    hold()
  }
  // A script that is quick may have begun and ended before a busy browser says so. What it changed is seen here,
  // after the change and before any frame is drawn with it.
  const changed = (records) => {
    if (!sheet.textContent && performance.now() > remembered + FRESH) return // most changes: nobody clicked
    if (!records.some(onPage)) return
    if (!sheet.textContent) {
      if (loose()) return
      hold()
      if (app.dataset.testScriptState === "notRunning") lookLater()
    }
    old.follow()
  }
  const note = ({ target }) => { if (target.matches?.(MAIN)) scrolled = target.scrollTop }
  addEventListener("scroll", note, { capture: true, passive: true })
  for (const kind of ["pointerdown", "click", "keydown"]) addEventListener(kind, remember, { capture: true })
  new MutationObserver(follow).observe(app, { attributeFilter: ["data-test-script-state"] })
  new MutationObserver(changed).observe(app, { childList: true, subtree: true })
}
