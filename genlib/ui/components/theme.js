// The app's colours, for what CSS cannot reach: canvases and the browser's own controls.

function readColours(root) {
  const style = getComputedStyle(root)
  const get = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise
  const ground = get("--st-background-color", "#ffffff")
  // Sliders and selects are drawn by the browser, which has to be told that the page is dark.
  const parts = ground.match(/^#(..)(..)(..)$/)?.slice(1).map((part) => parseInt(part, 16))
  if (parts) root.style.colorScheme = parts[0] + parts[1] + parts[2] < 384 ? "dark" : "light"
  return {
    ground,
    accent: get("--st-primary-color", "#0b6b74"),
    line: get("--st-border-color", "#888888"),
    classes: get("--st-chart-categorical-colors", DIGIT_COLOURS).split(","),
  }
}

const DIGIT_COLOURS =
  "#1f5fd0,#e06c00,#118a3e,#c9202f,#7a3fc4,#7d5140,#d6409f,#5d6a70,#988c00,#0096ab"
