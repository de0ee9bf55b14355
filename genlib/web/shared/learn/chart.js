// Small line charts of a training's history, as the inside of an SVG element 300 by 110.
const LEFT = 40, RIGHT = 292, TOP = 20, FLOOR = 88

const short = (x) => (x >= 10000 ? `${Math.round(x / 1000)}k` : x.toLocaleString("en"))

const minus = (text) => String(text).replace("-", "−")

/** A number with so many decimals and a proper minus; "–" where there is none.
 * @param {number} x @param {number} [digits] @returns {string} */
export const written = (x, digits = 2) => (Number.isNaN(x) ? "–" : minus((Math.round(x * 10 ** digits) / 10 ** digits || 0).toFixed(digits)))

/** @param {{title: string, lines: {name: string, colour: string, values: (number | null)[]}[],
 *   steps: number[], low: number, high: number, marks?: number[]}} chart values outside [low, high] are cut;
 *   marks: values with a dotted line
 * @returns {string} */
export const lineChart = ({ lines, steps, low, high, marks = [] }) => {
  const last = Math.max(1, steps.at(-1) ?? 1)
  const x = (step) => LEFT + ((RIGHT - LEFT) * step) / last
  const y = (value) => FLOOR - ((FLOOR - TOP) * (Math.min(high, Math.max(low, value)) - low)) / (high - low)
  const drawn = lines.map(({ colour, values }) => {
    const points = values.flatMap((value, i) =>
      (value === null || Number.isNaN(value) ? [] : [`${x(steps[i]).toFixed(1)},${y(value).toFixed(1)}`]))
    return `<polyline points="${points.join(" ")}" stroke="${colour}"/>`
  })
  // In one text, so that a wider font moves the next name.
  const names = lines.map(({ name, colour }, i) => `<tspan dx="${i && 12}" style="fill: ${colour}">${name}</tspan>`)
  const lined = marks.map((mark) => `<path class="mark" d="M${LEFT} ${y(mark).toFixed(1)}H${RIGHT}"/>`)
  return `${lined.join("")}<path class="axis" d="M${LEFT} ${FLOOR}H${RIGHT}"/>${drawn.join("")}<text x="${LEFT}" y="13" class="name">${names.join("")}</text>
    <text x="${LEFT - 5}" y="${TOP + 6}" text-anchor="end">${minus(high)}</text>
    <text x="${LEFT - 5}" y="${FLOOR}" text-anchor="end">${minus(low)}</text>
    <text x="${LEFT}" y="106">0</text><text x="${RIGHT}" y="106" text-anchor="end">${short(last)} ${last === 1 ? "step" : "steps"}</text>`
}
