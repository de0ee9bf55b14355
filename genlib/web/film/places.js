// Where the pictures of an ascent lie on its canvas.
const GAP = 12, LEAST_GAP = 2 // CSS pixels between pictures
const COLUMNS = 5, LEAST = 50 // pictures in a row, more only where each has so many CSS pixels
const NARROW = 90 // CSS pixels of a picture below which its caption takes two lines
const HEAD = 26 // CSS pixels for the name of a network

/** Lay out the pictures: of one network in rows of five; of several, a picture of each side by side,
 * or a row of pictures for each, so that the same class stands below itself.
 * @param {{room: number, count: number, groups: number, width: number, height: number,
 *   tallest: number, captions: boolean, ratio: number}} asked room: CSS pixels across; count: of all
 *   pictures; groups: of networks; width, height: of a picture, in its own pixels; tallest: CSS
 *   pixels of a picture that stands alone in its network; ratio: device pixels per CSS pixel
 * @returns {{tiles: {x: number, y: number, w: number, h: number}[], height: number, narrow: boolean,
 *   heads: {x: number, y: number, w: number}[], smooth: boolean}} in device pixels; heads: where the
 *   networks' names go, none for a single one */
export const placeTiles = ({ room, count, groups, width, height, tallest, captions, ratio }) => {
  const each = count / groups, abreast = each === 1
  const inOneRow = groups > 1 && room / each >= LEAST
  const columns = abreast ? groups : inOneRow ? each : Math.min(each, COLUMNS)
  const scale = scaleOf((room * ratio) / columns, width, abreast ? (tallest * ratio) / height : Infinity,
    inOneRow && !abreast ? LEAST_GAP * ratio : (GAP * ratio * (columns - 1)) / columns)
  const w = Math.round(width * scale), h = Math.round(height * scale)
  const gap = Math.min(GAP * ratio, columns > 1 ? (room * ratio - columns * w) / (columns - 1) : Infinity)
  const narrow = w < NARROW * ratio, foot = captions ? (narrow ? 56 : 40) * ratio : 0
  const head = groups > 1 ? HEAD * ratio : 0, down = h + foot + GAP * ratio
  const block = head + Math.ceil(each / columns) * down
  const tiles = Array.from({ length: count }, (_, i) => {
    const group = Math.floor(i / each), k = abreast ? i : i % each
    const top = abreast ? head : group * block + head + Math.floor(k / columns) * down
    return { x: (k % columns) * (w + gap), y: top, w, h }
  })
  const wide = abreast ? w : room * ratio
  const heads = groups < 2 ? [] : Array.from({ length: groups }, (_, group) =>
    abreast ? { x: tiles[group].x, y: 0, w: wide } : { x: 0, y: group * block, w: wide })
  return { tiles, heads, narrow, height: tiles.at(-1).y + h + foot, smooth: scale < 2 && width > 64 }
}

// Device pixels per pixel of a picture: a whole number where it is enlarged at all.
const scaleOf = (room, width, most, gap) => {
  const scale = Math.min((room - gap) / width, most)
  return scale >= 2 ? Math.floor(scale) : scale
}
