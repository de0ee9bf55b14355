// A picture that stays in sight on a phone while the settings below it are scrolled, where both are in one
// component. Pictures next to Streamlit's settings: present/pin.js.
const MOST = 0.5 // of the screen's height
const MENU = "[data-testid=stHeader]" // only in the app

/** Keep an element in sight: of a high one its lower part. style.css: @import "../shared/stay.css".
 * @param {HTMLElement} element */
export const stay = (element) => {
  element.classList.add("stays")
  new ResizeObserver(() => {
    const menu = document.querySelector(MENU)?.offsetHeight ?? 0
    element.style.setProperty("--stays-at", `${menu + Math.min(0, MOST * innerHeight - element.offsetHeight)}px`)
  }).observe(element)
}
