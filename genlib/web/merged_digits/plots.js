// Both plots of a card: a frame from (LEFT, TOP) to (RIGHT, FLOOR) in a view box 300 wide.
// Texts are 17 high there: 14 pixels in a card of a narrow laptop.
import { clamp } from "../shared/hand.js"

const LEFT = 36, RIGHT = 296, TOP = 22, FLOOR = 92
const across = (share) => LEFT + (RIGHT - LEFT) * clamp(share)
const up = (share) => FLOOR - (FLOOR - TOP) * clamp(share)
const text = (x, y, words, anchor = "middle") =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`
const axis = `<path class="axis" d="M${LEFT} ${FLOOR}H${RIGHT}"/>`
const topOf = (card) => 1.08 * Math.max(card.band[2], ...card.energy) || 1

/** A number in three significant digits or so: energies run from hundredths to hundreds.
 * @param {number} x @returns {string} */
export const digits = (x) => {
  const size = Math.abs(x)
  return x.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 || size === 0 ? 2 : 3)
}

/** Energies of real and merged digits, as the inside of an SVG element.
 * @param {object} card @returns {string} */
export const histogram = ({ histogram: h }) => {
  const top = Math.max(...h.real, ...h.merged), width = (RIGHT - LEFT) / h.real.length
  const bars = (counts, name) => counts.map((count, i) =>
    `<rect class="${name}" x="${LEFT + i * width}" y="${up(count / top)}" width="${width}"
      height="${FLOOR - up(count / top)}"/>`).join("")
  return `${bars(h.real, "real")}${bars(h.merged, "merged")}${axis}
    ${text(LEFT, 109, digits(h.low), "start")}${text(RIGHT, 109, `${digits(h.high)}+`, "end")}
    ${text((LEFT + RIGHT) / 2, 109, "energy")}
    <path class="mark"/><text class="flag" y="14" text-anchor="middle">this image</text>`
}

/** Energy at every alpha over the band of real digits, as the inside of an SVG element.
 * @param {object} card @param {object} data of the component @returns {string} */
export const curve = (card, data) => {
  const [low, middle, high] = card.band, top = topOf(card), n = card.energy.length - 1
  const points = card.energy.map((e, t) =>
    `${across(n ? t / n : 0.5).toFixed(1)},${up(e / top).toFixed(1)}`)
  return `<rect class="band" x="${LEFT}" y="${up(high / top)}" width="${RIGHT - LEFT}"
      height="${up(low / top) - up(high / top)}"/>
    <path class="median" d="M${LEFT} ${up(middle / top)}H${RIGHT}"/>${axis}
    <polyline points="${points.join(" ")}"/>
    ${text(LEFT - 4, TOP + 5, digits(top), "end")}${text(LEFT - 4, FLOOR, "0", "end")}
    ${text(LEFT, 109, n ? data.names[0] : "", "start")}${text(RIGHT, 109, n ? data.names[1] : "", "end")}
    ${text((LEFT + RIGHT) / 2, 109, n ? "energy along α" : "this image")}
    <path class="mark"/><circle class="dot" r="6"/>`
}

/** Move the marks of both plots to frame t.
 * @param {(selector: string) => Element} part finds an element of the card @param {object} card
 * @param {object} data of the component @param {number} t */
export const placeMarks = (part, card, data, t) => {
  const { low, high } = card.histogram, n = data.alpha.length - 1, energy = card.energy[t]
  const x = across((energy - low) / (high - low || 1))
  part(".histogram .mark").setAttribute("d", `M${x} ${TOP - 4}V${FLOOR}`)
  part(".histogram .flag").setAttribute("x", Math.min(x, RIGHT - 36))
  const at = across(n ? t / n : 0.5), y = up(energy / topOf(card))
  part(".curve .mark").setAttribute("d", `M${at} ${y}V${FLOOR}`)
  part(".curve .dot").setAttribute("cx", at)
  part(".curve .dot").setAttribute("cy", y)
}
