// Points from a file with two columns of numbers, read in the browser.
const MOST = 5000

const split = (line) => line.split(line.includes(";") ? ";" : line.includes("\t") ? "\t" : /\s*,\s*|\s+/)
  .map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"))

// "1,5;2,5" is how half of the world writes 1.5 and 2.5.
const numberIn = (cell) => (cell === undefined || cell === "" ? NaN : Number(cell.replace(",", ".")))

/** Read a table of two columns: commas, semicolons, tabs or spaces between them, maybe a heading.
 * @param {string} text of the file
 * @returns {{points: number[][], names: string[]}} [x, y] in the file's order; names of the columns
 * @throws {Error} one clear sentence that names the line */
export const readPoints = (text) => {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/).map((line) => line.trim())
  const points = []
  let names = ["x", "y"]
  lines.forEach((line, i) => {
    if (!line) return
    const cells = split(line), [x, y] = cells.map(numberIn)
    if (cells.length !== 2) throw new Error(`Line ${i + 1} of the file has ${cells.length} columns; it needs two.`)
    if (Number.isFinite(x) && Number.isFinite(y)) points.push([x, y])
    else if (!points.length && cells.every((cell) => cell && Number.isNaN(numberIn(cell)))) {
      names = cells.map((cell) => cell.replaceAll("|", " ").slice(0, 24))
    } else throw new Error(`Line ${i + 1} of the file isn't two numbers: “${line.slice(0, 40)}”.`)
    if (points.length > MOST) throw new Error(`The file has more than ${MOST} points. Shorten it.`)
  })
  if (points.length < 3) throw new Error(`The file holds ${points.length} points; at least 3 are needed.`)
  for (const axis of [0, 1]) {
    if (new Set(points.map((p) => p[axis])).size < 2) {
      throw new Error(`All numbers in column ${axis + 1} are equal, so it has no spread.`)
    }
  }
  return { points, names }
}
