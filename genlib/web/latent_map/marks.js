// The layer above the points: selection, neighbours, stars, lasso; and saving the map as a picture.
import { canvasOf, circle, download, penFor, strokeLines } from "../shared/picture.js"

const paintStar = (pen, [x, y], r = 11) => {
  pen.beginPath()
  for (let k = 0; k < 10; k++) {
    const angle = (k * Math.PI) / 5, length = k % 2 ? r * 0.45 : r
    pen.lineTo(x + length * Math.sin(angle), y - length * Math.cos(angle))
  }
  pen.closePath()
  pen.fillStyle = "#ffd42a" // no class has this yellow, in either theme
  Object.assign(pen, { strokeStyle: "#000", lineWidth: 1.5 })
  pen.fill()
  pen.stroke()
}

/** Frame point i. @param {CanvasRenderingContext2D} pen */
const paintRing = (pen, plane, i, width) => {
  const [px, py] = plane.placeOf(i), side = plane.thumb + 4
  Object.assign(pen, { strokeStyle: plane.theme.text, lineWidth: width })
  if (plane.thumb) return pen.strokeRect(px - side / 2, py - side / 2, side, side)
  circle(pen, px, py, 7)
  pen.stroke()
}

const paintMarks = (pen, plane, { rays, labels, stars }, picked) => {
  if (picked >= 0 && picked < labels.length) {
    Object.assign(pen, { strokeStyle: plane.theme.text, lineWidth: 1.2 })
    strokeLines(pen, ...Array.from(rays, (i) => [...plane.placeOf(picked), ...plane.placeOf(i)]))
    for (const i of rays) paintRing(pen, plane, i, 1.5)
    paintRing(pen, plane, picked, 3)
  }
  for (let k = 0; k < stars.length / 2; k++) paintStar(pen, plane.toScreen(stars[2 * k], stars[2 * k + 1]))
}

/** Paint all marks.
 * @param {HTMLCanvasElement} canvas @param {import("../shared/plane.js").Plane} plane
 * @param {object} data of the component
 * @param {{picked: number, over: number, polygon: number[][] | null}} hand -1 for no point */
export const paintTop = (canvas, plane, data, { picked, over, polygon }) => {
  if (!data || !plane.width) return
  const pen = penFor(canvas, plane.width, plane.height)
  pen.clearRect(0, 0, plane.width, plane.height)
  paintMarks(pen, plane, data, picked)
  if (over >= 0) paintRing(pen, plane, over, 2)
  if (!polygon) return
  pen.beginPath()
  polygon.forEach(([x, y]) => pen.lineTo(x, y))
  pen.closePath()
  Object.assign(pen, { fillStyle: `${plane.theme.accent}33`, strokeStyle: plane.theme.accent })
  pen.lineWidth = 2
  pen.fill()
  pen.stroke()
}

/** Save the map as one sees it, with its legend. @param {Iterable<Element>} chips of the legend */
export const save = (plane, data, picked, chips) => {
  const { canvas, dpr, theme } = plane, strip = 34 * dpr
  const sheet = canvasOf(new ImageData(canvas.width, canvas.height + strip)), pen = sheet.getContext("2d")
  pen.fillStyle = theme.ground
  pen.fillRect(0, 0, sheet.width, sheet.height)
  pen.drawImage(canvas, 0, strip)
  pen.setTransform(dpr, 0, 0, dpr, 0, strip)
  paintMarks(pen, plane, data, picked)
  pen.setTransform(dpr, 0, 0, dpr, 0, 0)
  pen.font = "14px sans-serif"
  let x = 12
  for (const chip of chips) {
    pen.fillStyle = chip.firstChild.style.background
    pen.fillRect(x, 11, 12, 12)
    pen.fillStyle = theme.text
    pen.fillText(chip.textContent, x + 17, 22)
    x += 34 + pen.measureText(chip.textContent).width
  }
  pen.fillText(data.title, x + 10, 22)
  download(sheet, `${data.file}.png`)
}
