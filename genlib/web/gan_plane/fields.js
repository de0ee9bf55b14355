// All settings of the page, and how its points travel in the link.
import { inReach } from "../shared/csv.js"
import { LEARNING } from "../shared/learn/settings.js"
import { DRAWN, TARGETS } from "./targets.js"
import { REACH } from "./study.js"

/** How many points of one's own the link holds. */
export const MOST_POINTS = 500
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const STEPS = 4095

const write = (x) => {
  const n = Math.round((STEPS * (Math.min(REACH, Math.max(-REACH, x)) / REACH + 1)) / 2)
  return LETTERS[n >> 6] + LETTERS[n & 63]
}
const read = (text) => {
  const n = 64 * LETTERS.indexOf(text[0]) + LETTERS.indexOf(text[1])
  return REACH * ((2 * n) / STEPS - 1)
}

const targets = [...Object.keys(TARGETS), DRAWN]

/** name -> field, as in shared/learn/settings.js. */
export const FIELDS = {
  data: {
    label: "Data", options: targets, start: "ring of 8", help: "What G is to imitate.", text: String,
    read: (text) => (targets.includes(text) ? text : undefined),
  },
  points: { // four letters for each
    start: [], hidden: true,
    text: (points) => points.map(([x, y]) => write(x) + write(y)).join(""),
    read: (text) => (text.length <= 4 * MOST_POINTS && text.length % 4 === 0 && /^[\w-]*$/.test(text)
      ? (text.match(/.{4}/g) ?? []).map((four) => [read(four), read(four.slice(2))]) : undefined),
  },
  ...LEARNING,
}

/** Points of any scale, moved into the plane; at most MOST_POINTS of them, evenly chosen.
 * @param {number[][]} points @returns {number[][]}
 * @throws {Error} one clear sentence, for numbers so large that nothing else could be seen */
export const intoPlane = (points) => {
  const large = points.find((point) => !inReach(point))
  if (large) throw new Error(`The file holds the point ${large.join(", ")}; no number may be beyond a billion.`)
  const apart = Math.max(1, points.length / MOST_POINTS), chosen = []
  for (let i = 0; Math.floor(i) < points.length && chosen.length < MOST_POINTS; i += apart) chosen.push(points[Math.floor(i)])
  const mean = [0, 1].map((axis) => chosen.reduce((sum, p) => sum + p[axis] / chosen.length, 0))
  const far = Math.max(...chosen.flatMap((p) => [0, 1].map((axis) => Math.abs(p[axis] - mean[axis])))) || 1
  return chosen.map((p) => [0, 1].map((axis) => (1.2 * (p[axis] - mean[axis])) / far))
}
