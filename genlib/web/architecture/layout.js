// Where everything of a diagram is: columns from left to right on a wide screen, from top to bottom
// on a narrow one. `along` is the direction of the flow, `across` the other.

const DOT = 58, GAP = { least: 20, most: 44 } // CSS pixels
const BAR = { least: 21, most: 46 }
const UPRIGHT = { bar: 26, gap: 18 } // a phone shows most diagrams in one piece
const PAD = 10 // of a part around its bars
const TALL = { least: 84, most: 152 } // of a bar, across
const ROW = 112 // across, for one row of the diagram
const AROUND = 26 // how far a wire swings out around what is between its ends
const HEAD = 44 // of a part: its title, and below the bars its parameters

/** How many numbers a shape holds. @param {number[]} shape */
export const count = (shape) => shape.reduce((a, b) => a * b, 1)

/** How tall a bar is for so many numbers: even steps in the logarithm.
 * @param {number} n @param {number} largest */
export const barLength = (n, largest) =>
  TALL.least + (TALL.most - TALL.least) * (Math.log(Math.max(n, 1)) / Math.log(Math.max(largest, 2)))

/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/** Places for all dots, parts and blocks.
 * @param {object} diagram as architecture.py sends it @param {number} room CSS pixels of width
 * @returns {{wide: boolean, width: number, height: number, boxes: Object<string, Box>}} */
export const layOut = ({ dots, parts }, room) => {
  const columns = 1 + Math.ceil(Math.max(...dots.map((d) => d.column), ...parts.map((p) => p.column)))
  const rows = [...dots, ...parts].map((one) => one.row), low = Math.min(...rows), high = Math.max(...rows)
  const most = Math.max(1, ...parts.flatMap((p) => p.blocks.map((b) => count(b.shape))))
  const longest = (part) => Math.max(TALL.least, ...part.blocks.map((b) => barLength(count(b.shape), most)))
  const blocks = parts.reduce((n, p) => n + Math.max(1, p.blocks.length), 0)
  const dotColumns = new Set(dots.map((d) => d.column)).size
  const fixed = dotColumns * DOT + parts.length * 2 * PAD + (columns - 1) * GAP.least + 6
  const wide = room - fixed >= blocks * BAR.least && room >= 480
  const bar = wide ? Math.min(BAR.most, (room - fixed) / blocks) : UPRIGHT.bar
  const size = (column) => Math.max(
    dots.some((d) => d.column === column) ? DOT : 0,
    ...parts.filter((p) => p.column === column).map((p) => 2 * PAD + bar * Math.max(1, p.blocks.length)
      + (wide ? 0 : HEAD)), 0)
  const sizes = Array.from({ length: columns }, (_, c) => size(c))
  const left = room - 4 - sizes.reduce((a, b) => a + b, 0)
  const between = wide ? Math.min(GAP.most, Math.max(GAP.least, left / Math.max(1, columns - 1))) : UPRIGHT.gap
  const starts = []
  let at = 2
  for (let c = 0; c < columns; c++) { starts.push(at); at += sizes[c] + between }
  const length = at - between + 2
  const gap = wide ? ROW : Math.min(ROW, (room - 150) / Math.max(high - low, 1))
  const reach = (one) => (one.blocks ? longest(one) / 2 + (wide ? HEAD / 2 : 0) + PAD : DOT / 2 + 12)
  const before = Math.max(...[...dots, ...parts].map((one) => reach(one) - (one.row - low) * gap))
  const after = Math.max(...[...dots, ...parts].map((one) => reach(one) + (one.row - low) * gap))
  const breadth = before + after + 4
  const shift = wide ? 0 : Math.max(0, (room - breadth) / 2)
  const middle = (row) => shift + before + 2 + (row - low) * gap
  const turn = (along, across, long, broad) => (wide
    ? { x: along, y: across, width: long, height: broad } : { x: across, y: along, width: broad, height: long })
  const boxes = {}
  for (const d of dots) {
    const from = starts[d.column] + (size(d.column) - DOT) / 2
    boxes[d.key] = turn(from, middle(d.row) - DOT / 2, DOT, DOT)
  }
  for (const p of parts) {
    const broad = longest(p) + 2 * PAD + (wide ? HEAD : 0), long = size(p.column)
    boxes[p.key] = turn(starts[p.column], middle(p.row) - broad / 2, long, broad)
    p.blocks.forEach((b, k) => {
      const tall = barLength(count(b.shape), most)
      boxes[`${p.key}.${k}`] = turn(starts[p.column] + PAD + (wide ? 0 : HEAD / 2) + k * bar + 1.5,
        middle(p.row) - tall / 2, bar - 3, tall)
    })
  }
  return { wide, width: wide ? length : room, height: wide ? breadth : length, boxes }
}

/** The path of a wire between two boxes. @param {Box} a @param {Box} b @param {boolean} wide
 * @param {number} [edge] where the far side is, for a wire that goes below everything */
export const wirePath = (a, b, wide, edge = 0) => {
  const centre = (box) => [box.x + box.width / 2, box.y + box.height / 2]
  const [ax, ay] = centre(a), [bx, by] = centre(b)
  if (edge) return wide
    ? `M${ax} ${a.y + a.height} V${by} H${b.x - 3}`
    : `M${a.x + a.width} ${ay} H${bx} V${b.y - 3}`
  const ahead = wide ? b.x - (a.x + a.width) : b.y - (a.y + a.height)
  if (ahead < 0) { // same column: straight across, or around what is between
    if (Math.hypot(bx - ax, by - ay) > 2.6 * DOT) return wide
      ? `M${a.x} ${ay} C${a.x - AROUND} ${ay} ${b.x - AROUND} ${by} ${b.x - 3} ${by}`
      : `M${ax} ${a.y} C${ax} ${a.y - AROUND} ${bx} ${b.y - AROUND} ${bx} ${b.y - 3}`
    const down = wide ? by > ay : bx > ax
    return wide
      ? `M${ax} ${down ? a.y + a.height : a.y} L${bx} ${down ? b.y - 3 : b.y + b.height + 3}`
      : `M${down ? a.x + a.width : a.x} ${ay} L${down ? b.x - 3 : b.x + b.width + 3} ${by}`
  }
  const half = Math.max(8, ahead / 2)
  return wide
    ? `M${a.x + a.width} ${ay} C${a.x + a.width + half} ${ay} ${b.x - half} ${by} ${b.x - 3} ${by}`
    : `M${ax} ${a.y + a.height} C${ax} ${a.y + a.height + half} ${bx} ${b.y - half} ${bx} ${b.y - 3}`
}
