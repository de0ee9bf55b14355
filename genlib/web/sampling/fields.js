// All settings of the page; a density drawn by hand is one letter for each knot.
import { LEARNING } from "../shared/learn/settings.js"
import { DENSITIES, DRAWN, KNOTS } from "./densities.js"

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const names = [...Object.keys(DENSITIES), DRAWN]

/** name -> field, as in shared/learn/settings.js. */
export const FIELDS = {
  density: {
    label: "Density", options: names, start: "two modes", help: "The p(x) to draw samples from.", text: String,
    read: (text) => (names.includes(text) ? text : undefined),
  },
  heights: { // 0 to 63 each
    start: [], hidden: true,
    text: (heights) => heights.map((height) => LETTERS[Math.min(63, Math.max(0, Math.round(height)))]).join(""),
    read: (text) => (text.length === KNOTS && /^[\w-]*$/.test(text) ? [...text].map((c) => LETTERS.indexOf(c)) : undefined),
  },
  ...LEARNING,
}
