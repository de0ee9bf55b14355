import assert from "node:assert/strict"
import { test } from "node:test"
import { placeTiles } from "../../genlib/web/film/places.js"

const given = { room: 880, count: 10, groups: 1, width: 28, height: 28, tallest: 300, captions: true, ratio: 1 }
const inside = ({ tiles }, room) => tiles.every(({ x, w }) => x >= 0 && x + w <= room)
const apart = ({ tiles }) => tiles.every((a, i) => tiles.every((b, j) => i === j ||
  a.x + a.w < b.x || b.x + b.w < a.x || a.y + a.h < b.y || b.y + b.h < a.y))

test("ten pictures of one network stand in two rows of five, without a heading", () => {
  const found = placeTiles(given)
  assert.equal(new Set(found.tiles.map(({ x }) => x)).size, 5)
  assert.equal(new Set(found.tiles.map(({ y }) => y)).size, 2)
  assert.deepEqual(found.heads, [])
  assert.ok(inside(found, 880) && apart(found))
})

test("two networks with a picture each stand side by side below their names", () => {
  for (const room of [358, 880]) {
    const found = placeTiles({ ...given, room, count: 2, groups: 2 })
    const [a, b] = found.tiles
    assert.ok(a.y === b.y && a.y > 0 && a.x < b.x && inside(found, room) && apart(found))
    assert.equal(found.heads.length, 2)
    assert.ok(a.h <= 300 && found.heads[1].x === b.x)
  }
})

test("the same class of two networks stands below itself where there is room for a row", () => {
  const found = placeTiles({ ...given, count: 20, groups: 2 }), { tiles, heads } = found
  for (let c = 0; c < 10; c++) assert.equal(tiles[c].x, tiles[c + 10].x)
  assert.ok(tiles[0].y < heads[1].y && heads[1].y < tiles[10].y)
  assert.equal(tiles[0].w, 84, "three screen pixels for each of 28")
  assert.ok(inside(found, 880) && apart(found))
})

test("on a phone a network takes two rows, and no digit is smaller than 32 pixels", () => {
  const found = placeTiles({ ...given, room: 358, count: 20, groups: 2, ratio: 2 })
  assert.ok(inside(found, 2 * 358) && apart(found))
  assert.ok(found.tiles[0].w / 2 >= 32)
  assert.ok(found.heads[1].y > found.tiles[9].y + found.tiles[9].h)
})
