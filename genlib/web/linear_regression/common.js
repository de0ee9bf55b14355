// What the views share: the points that a model is fitted to, those held out, and a line by two handles.
import { Chance } from "../shared/chance.js"
import { readable } from "../shared/chart.js"
import { clamp } from "../shared/hand.js"
import { packPoints } from "../shared/lab.js"
import { nameAndUnit } from "../shared/panel.js"
import { fitPolynomial, highestDegree } from "./polynomial.js"

const ENDS = [0.14, 0.86] // where on the axis the handles of a line are
const HELD_MOST = 400 // points on which a model is judged

/** A number as a link keeps it. @param {number} x */
export const rounded = (x) => Number(x.toPrecision(5))

/** A number in [0, 1) that a text determines: its FNV-1a hash is a seed. */
const keyOf = (text) =>
  new Chance([...text].reduce((hash, c) => Math.imul(hash ^ c.charCodeAt(0), 16777619), 2166136261)).uniform()

/** Points in an order that has nothing to do with where they are. A point's key depends on its numbers as a link
 * keeps them, and on how many equal points come before it: a link gives the same order, and so does a file that is
 * sorted in another way; a point that is added or removed leaves the others in their order. */
const shuffle = (points) => {
  const seen = {}
  const keyed = points.map((point) => {
    const text = packPoints([point.slice(0, 2)])
    seen[text] = (seen[text] ?? 0) + 1
    return { point, key: keyOf(`${text} ${seen[text]}`) }
  })
  return keyed.sort((a, b) => a.key - b.key).map(({ point }) => point)
}

const shuffled = new WeakMap() // own points -> the same, shuffled

/** The points in random order: the app's own data are, a person's can be sorted. */
export const inRandomOrder = (lab) => {
  const { data, points } = lab
  if (data !== "own") return points
  if (!shuffled.has(points)) shuffled.set(points, shuffle(points))
  return shuffled.get(points)
}

/** The points of the fit: n of them, chosen at random. */
export const fitted = (lab) => inRandomOrder(lab).slice(0, lab.state.n)

/** Points that no fit has seen. */
export const heldOut = (lab) => inRandomOrder(lab).slice(lab.state.n, lab.state.n + HELD_MOST)

/** The slider for the number of points in the fit. @param {number} [left] points that must be left over */
export const howMany = (left = 0) => ({
  kind: "slider", key: "n", label: "Points for the fit", show: String,
  help: "Chosen at random. The same points always give the same choice.",
  range: (lab) => [3, Math.max(3, Math.min(200, lab.points.length - left)), 1],
})

/** How many points a view fits at first. @param {object} lab @param {number} [left] must be left over */
export const usualCount = (lab, left = 0) =>
  left ? clamp(Math.round(lab.points.length * 0.6), 3, 40) : Math.min(40, lab.points.length)

/** The least-squares polynomial, with as high a degree as the points can carry, and an error above 0. */
export const fitOf = (points, degree) => {
  const different = new Set(points.map((p) => p[0])).size
  const found = fitPolynomial(points, Math.min(degree, different > 2 ? highestDegree(points) : different - 1))
  const least = 1e-6 * (Math.max(...points.map((p) => p[1])) - Math.min(...points.map((p) => p[1])) || 1)
  return { ...found, sigma: Math.max(found.sigma, least), spread: Math.max(found.spread, least) }
}

/** Where the handles of a line are. @returns {number[]} two z */
const endsOf = (lab) => {
  const [low, high] = lab.ranges[0]
  return ENDS.map((share) => low + share * (high - low))
}

/** The line of a state {y1, y2}, as a function of z. */
export const lineOf = (lab) => {
  const [z1, z2] = endsOf(lab), { y1, y2 } = lab.state
  return (z) => y1 + ((y2 - y1) * (z - z1)) / (z2 - z1)
}

/** A line's state. @param {object} lab @param {(z: number) => number} f */
export const throughEnds = (lab, f) => {
  const [y1, y2] = endsOf(lab).map((z) => rounded(f(z)))
  return { y1, y2 }
}

/** x = a z + b, as text. @param {number} slope a @param {number} at0 b
 * @param {[string, string][]} [axes] name and unit of z and x */
export const lineText = (slope, at0, [[z], [x, unit]] = [["z", ""], ["x", ""]]) => {
  if (!slope) return `${x} = ${readable(at0)} ${unit}`.trim()
  return `${x} = ${readable(slope, 3)} ${z.length > 1 ? "· " : ""}${z} ${at0 < 0 ? "−" : "+"} ${readable(Math.abs(at0))}`
}

/** The line of a state with the names of its axes, as HTML. @param {object} lab */
export const formula = (lab) => {
  const [z1, z2] = endsOf(lab), { y1, y2 } = lab.state
  return lineText((y2 - y1) / (z2 - z1), lineOf(lab)(0), lab.axisNames.map(nameAndUnit))
}

/** How far from the picture the ends of a line may be in a link: a fit can leave it. @param {object} lab */
export const aroundThePicture = (lab) => {
  const [low, high] = lab.ranges[1]
  return [2 * low - high, 2 * high - low]
}

/** The handles at both ends of the line. */
export const lineHandles = (lab) => {
  const { plane } = lab, [z1, z2] = endsOf(lab), kept = (py) => rounded(clamp(plane.y(py), ...plane.ys))
  return [
    { at: [plane.px(z1), plane.py(lab.state.y1)], colour: lab.theme.link, to: (_, py) => lab.set({ y1: kept(py) }) },
    { at: [plane.px(z2), plane.py(lab.state.y2)], colour: lab.theme.link, to: (_, py) => lab.set({ y2: kept(py) }) },
  ]
}

/** Arrow keys on a line: up and down move it, left and right turn it. */
export const moveLine = (lab, right, down) => {
  const [low, high] = lab.ranges[1], by = (high - low) / 150, { y1, y2 } = lab.state
  const kept = (y) => rounded(clamp(y, low, high))
  lab.set({ y1: kept(y1 - down * by - right * by), y2: kept(y2 - down * by + right * by) })
}

/** Points: those of the fit dark, the others pale. */
export const drawPoints = (lab, plane) => {
  plane.dots(inRandomOrder(lab).slice(lab.state.n), () => lab.theme.text, 2.5, 0.16)
  plane.dots(fitted(lab), () => lab.theme.text, 4.5, 0.85)
}
