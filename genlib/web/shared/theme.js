// The app's colours, for what CSS cannot reach: canvases and the browser's own controls.
const DIGITS =
  "#1f5fd0,#e06c00,#118a3e,#c9202f,#7a3fc4,#7d5140,#d6409f,#5d6a70,#988c00,#0096ab"

/** The theme as the browser has it now; it may change at any time.
 * @param {Element} root an element of the component
 * @returns {{ground: string, text: string, accent: string, link: string, soft: string,
 *   line: string, font: string, classes: string[]}} colours, and one colour for each class */
export const readTheme = (root) => {
  const style = getComputedStyle(root)
  const get = (name, otherwise) => style.getPropertyValue(`--st-${name}`).trim() || otherwise
  const ground = get("background-color", "#ffffff"), accent = get("primary-color", "#0b6b74")
  // Sliders and selects are drawn by the browser, which has to be told that the page is dark.
  const parts = ground.match(/^#(..)(..)(..)$/)?.slice(1).map((part) => parseInt(part, 16))
  if (parts) root.style.colorScheme = parts[0] + parts[1] + parts[2] < 384 ? "dark" : "light"
  return {
    ground,
    accent,
    text: get("text-color", "#000000"),
    link: get("link-color", accent),
    soft: get("secondary-background-color", "#eeeeee"),
    line: get("border-color", "#888888"),
    font: get("font", "sans-serif"),
    classes: get("chart-categorical-colors", DIGITS).split(/,(?![^(]*\))/).map((c) => c.trim()),
  }
}
