// Points from a file with two columns of numbers, read in the browser.
const MOST = 5000
const MOST_BYTES = 2e6 // more would hold up the page while it is read
const LARGEST = 1e9 // squares of squares of larger numbers leave what a double holds
const CLOSEST = 1e-9 // a spread below this share of the numbers is lost in rounding
const ADVICE = "Each line needs two numbers, such as “170, 65”."

const split = (line) => line.split(line.includes(";") ? ";" : line.includes("\t") ? "\t" : /\s*,\s*|\s+/)
  .map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"))

// "1,5;2,5" is how half of the world writes 1.5 and 2.5.
const numberIn = (cell) => (cell === undefined || cell === "" ? NaN : Number(cell.replace(",", ".")))

const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`

/** Whether both numbers of a point are small enough to reckon with. @param {number[]} point */
export const inReach = ([x, y]) => Math.abs(x) <= LARGEST && Math.abs(y) <= LARGEST

/** Whether points differ along an axis. @param {number[][]} points @param {number} axis 0 or 1 */
export const hasSpread = (points, axis) => {
  let low = Infinity, high = -Infinity
  for (const point of points) { low = Math.min(low, point[axis]); high = Math.max(high, point[axis]) }
  return high - low > CLOSEST * Math.max(1, Math.abs(low), Math.abs(high))
}

/** Read a file that a person chose, as `readPoints` does.
 * @param {File} file @param {boolean} [classed]
 * @returns {Promise<{points: number[][], names: string[]}>}
 * @throws {Error} also for a file that is too large */
export const readFile = async (file, classed = false) => {
  if (file.size > MOST_BYTES) throw new Error(`The file is larger than ${MOST_BYTES / 1e6} MB. Shorten it.`)
  return readPoints(await file.text(), classed)
}

// No word of a heading or a class may look like two columns.
const oneCell = (name) => name.replace(/[\s,;"]+/g, "_")

/** A table that `readPoints` reads: x and y, and the class where points have one.
 * @param {number[][]} points [x, y] or [x, y, class] @param {string[]} names of x and y
 * @param {string[]} [classes] names of class 0 and 1 @returns {string} */
export const writePoints = (points, names, classes) => {
  const heading = [...names, ...(classes ? ["class"] : [])].map(oneCell)
  const rows = points.map(([x, y, c]) => [x, y, ...(classes ? [oneCell(classes[c ?? 0])] : [])])
  return [heading, ...rows].map((cells) => `${cells.join(",")}\n`).join("")
}

/** Read a table of two columns: commas, semicolons, tabs or spaces between them, maybe a heading.
 * @param {string} text of the file @param {boolean} [classed] whether a third column, a class, is welcome
 * @returns {{points: number[][], names: string[]}} [x, y] or [x, y, class] in the file's order; names of the columns
 * @throws {Error} one clear sentence that names the line */
export const readPoints = (text, classed = false) => {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/).map((line) => line.trim())
  if (!lines.some(Boolean)) throw new Error(`The file is empty. ${ADVICE}`)
  const points = []
  const classes = []
  let names = null
  lines.forEach((line, i) => {
    if (!line) return
    const cells = split(line), [x, y] = cells.map(numberIn)
    const third = classed && cells.length === 3 ? cells[2] : ""
    if (cells.length !== 2 && !third) throw new Error(`Line ${i + 1} of the file has ${many(cells.length, "column")}; it needs two. ${ADVICE}`)
    if (Number.isFinite(x) && Number.isFinite(y)) {
      if (!inReach([x, y])) throw new Error(`Line ${i + 1} of the file has a number beyond ±1,000,000,000: “${line.slice(0, 40)}”.`)
      if (third && !classes.includes(third)) classes.push(third)
      if (classes.length > 2) throw new Error(`Line ${i + 1} of the file has a third class, “${third.slice(0, 20)}”; there may be two.`)
      points.push(third ? [x, y, classes.indexOf(third)] : [x, y])
    } else if (!points.length && !names && cells.every((cell) => cell && Number.isNaN(numberIn(cell)))) {
      names = cells.slice(0, 2).map((cell) => cell.replaceAll("|", " ").slice(0, 24))
    } else throw new Error(`Line ${i + 1} of the file isn't two numbers: “${line.slice(0, 40)}”. ${ADVICE}`)
    if (points.length > MOST) throw new Error(`The file has more than ${MOST} points. Shorten it.`)
  })
  if (!points.length) throw new Error(`The file has a heading and no points. ${ADVICE}`)
  if (points.length < 3) throw new Error(`The file holds ${many(points.length, "point")}; at least 3 are needed.`)
  for (const axis of [0, 1]) {
    if (!hasSpread(points, axis)) {
      throw new Error(`All numbers in column ${axis + 1} are equal, or nearly so: it has no spread.`)
    }
  }
  return { points, names: names ?? ["x", "y"] }
}
