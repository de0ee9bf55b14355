// The loops of plain.js in WebAssembly, two or four numbers at once. To the last bit they give what
// plain.js gives, because each sum is added in the same order and in double precision: a link opens on
// the same weights in every browser.
import { assemble } from "./assembly.js"

const PAGE = 65536, FLOAT = 4, PANEL_ROW = 4 * 8
const each = (count, write) => Array.from({ length: count }, (_, i) => write(i)).join("\n")

const add = (target, ...more) => `get ${target} ${more.map((one) => `${one} i32.add`).join(" ")} set ${target}`
const number = (n) => `i32.const ${n}`
/** `body` with `counter` from 0 to less than `end`, in steps. Once at least: there is always a row and a column. */
const times = (counter, end, step, body) => `
  i32.const 0 set ${counter}
  loop
    ${body}
    ${add(counter, number(step))}
    get ${counter} get ${end} i32.lt_s br_if 0
  end`
/** Where `value` is the vector of the columns from j on: store as many of its four numbers as are left. */
const store = (at, value) => `
  get left i32.const 3 i32.gt_s
  if get ${at} get ${value} v128.store 0
  else
    get ${at} get ${value} v128.store32_lane 0
    get left i32.const 1 i32.gt_s if get ${at} i32.const 4 i32.add get ${value} v128.store32_lane 1 end
    get left i32.const 2 i32.gt_s if get ${at} i32.const 8 i32.add get ${value} v128.store32_lane 2 end
  end`
const smaller = (a, b) => `${a} ${b} ${a} ${b} i32.lt_s select`

// Four columns of B in double precision, one after the other for each k, so that the loop below reads
// them in order. Beyond the last column comes the last one again; it isn't stored.
const PACK = `
  get panel set q
  get b get j get bj i32.mul i32.add set from
  get bj i32.const 4 i32.eq get left i32.const 3 i32.gt_s i32.mul
  if ${times("k", "depth", 1, `
    get q get from v128.load64_zero 0 f64x2.promote_low_f32x4 v128.store 0
    get q get from v128.load64_zero 8 f64x2.promote_low_f32x4 v128.store 16
    ${add("from", "get bk")} ${add("q", number(PANEL_ROW))}`)}
  else ${times("k", "depth", 1, `
    ${each(4, (column) => `
      get q
      get from ${smaller(number(column), "get left i32.const 1 i32.sub")} get bj i32.mul i32.add
      f32.load 0 f64.promote_f32 f64.store ${8 * column}`)}
    ${add("from", "get bk")} ${add("q", number(PANEL_ROW))}`)}
  end`

// Four rows by four columns. Beyond the last row comes the last one again, with the same sums.
const TILE = `
  ${each(4, (row) => `
    ${smaller(`get i i32.const ${row} i32.add`, "get rows i32.const 1 i32.sub")} set r${row}
    get a get r${row} get ai i32.mul i32.add set p${row}
    zeros set s${row}0 zeros set s${row}1`)}
  get panel set q
  ${times("k", "depth", 1, `
    get q v128.load 0 set y0
    get q v128.load 16 set y1
    ${each(4, (row) => `
      get s${row}0 get p${row} v128.load32_splat 0 f64x2.promote_low_f32x4 tee x get y0 f64x2.mul f64x2.add set s${row}0
      get s${row}1 get x get y1 f64x2.mul f64x2.add set s${row}1
      ${add(`p${row}`, "get ak")}`)}
    ${add("q", number(PANEL_ROW))}`)}
  ${each(4, (row) => `
    get s${row}0 f32x4.demote_f64x2_zero get s${row}1 f32x4.demote_f64x2_zero low_halves get shift f32x4.add set x
    get c get r${row} get columns i32.mul get j i32.add i32.const 4 i32.mul i32.add set at
    ${store("at", "x")}`)}`

const integers = (names) => Object.fromEntries(names.split(" ").map((name) => [name, "i32"]))

const PROCEDURES = {
  product: {
    takes: integers("rows columns depth a ai ak b bj bk c bias panel"),
    locals: {
      i32: "i j k left from q at r0 r1 r2 r3 p0 p1 p2 p3".split(" "),
      v128: "x y0 y1 shift s00 s01 s10 s11 s20 s21 s30 s31".split(" "),
    },
    body: times("j", "columns", 4, `
      get columns get j i32.sub set left
      minus_zeros set shift
      get bias if get bias get j i32.const 4 i32.mul i32.add v128.load 0 set shift end
      ${PACK}
      ${times("i", "rows", 4, TILE)}`),
  },
  sums: {
    takes: integers("rows columns a c"),
    locals: { i32: ["i", "j", "left", "p", "at"], v128: ["x", "s0", "s1"] },
    body: times("j", "columns", 4, `
      get columns get j i32.sub set left
      get a get j i32.const 4 i32.mul i32.add set p
      get c get j i32.const 4 i32.mul i32.add set at
      zeros set s0 zeros set s1
      ${times("i", "rows", 1, `
        get s0 get p v128.load64_zero 0 f64x2.promote_low_f32x4 f64x2.add set s0
        get s1 get p v128.load64_zero 8 f64x2.promote_low_f32x4 f64x2.add set s1
        ${add("p", "get columns i32.const 4 i32.mul")}`)}
      get s0 f32x4.demote_f64x2_zero get s1 f32x4.demote_f64x2_zero low_halves set x
      ${store("at", "x")}`),
  },
  scale: {
    takes: { ...integers("out y count"), slope: "f64" },
    locals: { i32: ["i"], v128: ["x"] },
    body: times("i", "count", 4, `
      get out get out v128.load 0 tee x
      get x f64x2.promote_low_f32x4 get slope f64x2.splat f64x2.mul f32x4.demote_f64x2_zero
      get x get x high_half f64x2.promote_low_f32x4 get slope f64x2.splat f64x2.mul f32x4.demote_f64x2_zero low_halves
      get y v128.load 0 zeros f32x4.gt v128.bitselect v128.store 0
      ${add("out", number(16))} ${add("y", number(16))}`),
  },
}

const BYTES = assemble(PROCEDURES)
const padded = (count) => 4 * Math.ceil(count / 4)

/** Whether this browser has vectors in WebAssembly. */
export const canSimd = () => typeof WebAssembly === "object" && WebAssembly.validate(BYTES)

let compiled = null

/** Like the Bench of plain.js. */
export class SimdBench {
  constructor() {
    compiled ??= new WebAssembly.Module(BYTES)
    this.memory = new WebAssembly.Memory({ initial: 1 })
    this.procedures = new WebAssembly.Instance(compiled, { it: { memory: this.memory } }).exports
  }

  floats(counts, depth) {
    const before = PANEL_ROW // and as much at the end: a vector may reach beyond an array
    const bytes = counts.reduce((sum, count) => sum + FLOAT * padded(count), 2 * before) + PANEL_ROW * depth
    const pages = Math.ceil(bytes / PAGE) - this.memory.buffer.byteLength / PAGE
    if (pages > 0) this.memory.grow(pages)
    let at = before
    const arrays = counts.map((count) => {
      const array = new Float32Array(this.memory.buffer, at, count)
      at += FLOAT * padded(count)
      return array
    })
    this.panel = at
    return arrays
  }

  product(rows, columns, depth, A, a, ai, ak, B, b, bj, bk, C, c, bias = null, shift = 0) {
    this.procedures.product(
      rows, columns, depth, A.byteOffset + FLOAT * a, FLOAT * ai, FLOAT * ak,
      B.byteOffset + FLOAT * b, FLOAT * bj, FLOAT * bk, C.byteOffset + FLOAT * c,
      bias ? bias.byteOffset + FLOAT * shift : 0, this.panel)
  }

  sums(rows, columns, A, C, c) { this.procedures.sums(rows, columns, A.byteOffset, C.byteOffset + FLOAT * c) }

  scale(out, y, count, slope) { this.procedures.scale(out.byteOffset, y.byteOffset, count, slope) }
}
