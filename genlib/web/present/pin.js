// On a phone the picture stays while the controls scroll under it. A low stage stays whole. Of a higher one
// the part with the picture stays: the controls push up over the rest.
//
//   the page opens             scrolled: the rest is cut off, and the controls
//   | buttons   |              begin where it ends
//   | picture   |  menu        | picture   |  from `top` (above it: under the menu)
//   | more      |              |-----------|  at most MOST of the screen
//   | controls  |              | controls  |
//
// style.css does it, by these names, which Streamlit doesn't know and leaves alone: the attribute data-pinned
// of the stage; of its column --pin-top and --pin-clip; of the row of both columns --pin-room, for a high
// stage next to few controls.
import { pictures } from "./pictures.js"

const MOST = 0.5 // of the screen's height
const MENU = 60 // px at the top of the screen
const ABOVE = 8 // px over the picture
const phone = () => innerWidth <= 820 // as in style.css
const COLUMN = "[data-testid=stColumn]", ROW = "[data-testid=stHorizontalBlock]", MAIN = "[data-testid=stMain]"
const FEW = 40 // px of controls: there are none

/** Which part of a stage stays. @param {number} height of the stage @param {number} most that may stay
 * @param {[number, number] | null} picture from and to, in px below the stage's top
 * @returns {{from: number, to: number}} */
export const partOf = (height, most, picture) => {
  if (height <= most || !picture) return { from: 0, to: Math.min(height, most) }
  const [top, bottom] = picture
  const from = bottom <= most ? 0 : Math.max(0, Math.min(top - ABOVE, height - most))
  return { from, to: from + most }
}

/** From and to of the largest picture in a stage, in px below its top. @param {HTMLElement} stage */
const mainPicture = (stage) => {
  const { top } = stage.getBoundingClientRect()
  let found = null, largest = 0
  for (const [, box] of pictures(stage)) {
    if (box.width * box.height <= largest) continue
    largest = box.width * box.height
    found = [box.top - top, box.bottom - top]
  }
  return found
}

class Pin {
  /** @param {() => HTMLElement | null} stage */
  constructor(stage) {
    this.stage = stage
    this.cut = this.past = 0
  }

  /** Mark the stage, and say which part of it stays. */
  measure() {
    const stage = this.stage()
    if (!stage) return
    const column = stage.closest(COLUMN), row = column?.closest(ROW), height = stage.offsetHeight
    const controls = row?.querySelector(".st-key-controls")?.offsetHeight ?? 0
    const low = height > 0 && height <= MOST * innerHeight
    const pinned = low || (height > 0 && phone() && controls > FEW)
    stage.toggleAttribute("data-pinned", pinned)
    this.column = pinned ? column : null
    this.row = row
    const part = partOf(height, MOST * innerHeight, low ? null : mainPicture(stage))
    this.top = MENU - part.from
    this.cut = pinned ? Math.max(0, height - part.to) : 0
    column?.style.setProperty("--pin-top", `${this.top}px`)
    row?.style.setProperty("--pin-room", `${this.cut}px`)
    this.scrolled()
  }

  /** Cut off as much as the controls have pushed up. */
  scrolled() {
    const past = this.column ? this.top - this.row.getBoundingClientRect().top : 0
    const cut = Math.round(Math.max(0, Math.min(this.cut, past)))
    this.column?.style.setProperty("--pin-clip", cut ? `inset(0 -1rem ${cut}px)` : "none")
  }
}

/** Keep whichever stage is on the page pinned, now and later. @param {() => HTMLElement | null} stage */
export const keepPinned = (stage) => {
  const pin = new Pin(stage), measure = () => pin.measure()
  // A stage that grows makes the page longer; the page itself stays where another one is opened.
  const sized = new ResizeObserver(measure)
  for (const selector of ["[data-testid=stMainBlockContainer]", MAIN]) {
    const element = document.querySelector(selector)
    if (element) sized.observe(element)
  }
  document.querySelector(MAIN)?.addEventListener("scroll", () => pin.scrolled(), { passive: true })
  return measure
}
