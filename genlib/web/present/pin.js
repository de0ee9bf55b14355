// On a phone the picture stays while the controls scroll under it, where it leaves them room. Only
// then: style.css reads the attribute data-pinned, which Streamlit doesn't know and leaves alone.
const MOST = 0.5 // of the screen's height

/** Mark a stage that is low enough. @param {HTMLElement | null} stage */
const pin = (stage) => {
  const height = stage?.offsetHeight ?? 0
  stage?.toggleAttribute("data-pinned", height > 0 && height <= MOST * innerHeight)
}

/** Keep the mark of whichever stage is on the page true, now and later. @param {() => HTMLElement | null} stage */
export const keepPinned = (stage) => {
  const measure = () => pin(stage())
  // A stage that grows makes the page longer; the page itself stays where another one is opened.
  const sized = new ResizeObserver(measure)
  for (const selector of ["[data-testid=stMainBlockContainer]", "[data-testid=stMain]"]) {
    const element = document.querySelector(selector)
    if (element) sized.observe(element)
  }
  return measure
}
