// A small assembler: WebAssembly's text instructions, one after the other, to bytes. Only what simd.js needs.
// Source: WebAssembly Core Specification 2.0, chapter 5 (binary format).

const TYPES = { i32: 0x7f, f64: 0x7c, v128: 0x7b }
const VOID = 0x40
const SIMD = 0xfd

// An unsigned number in groups of seven bits, the lowest first.
const unsigned = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...unsigned(n >>> 7)])
const signed = (n) => (n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...signed(n >> 7)])
const text = (name) => [name.length, ...[...name].map((letter) => letter.charCodeAt(0))]
const counted = (bytes) => [...unsigned(bytes.length), ...bytes]
const list = (items) => [...unsigned(items.length), ...items.flat()]
const address = (offset) => [0, ...unsigned(offset)] // no promise about alignment

/** instruction -> its bytes, given what follows it */
const OPERATIONS = {
  block: () => [0x02, VOID], loop: () => [0x03, VOID], if: () => [0x04, VOID], else: () => [0x05], end: () => [0x0b],
  br_if: (depth) => [0x0d, Number(depth)], select: () => [0x1b],
  "i32.const": (n) => [0x41, ...signed(Number(n))],
  "f32.load": (offset) => [0x2a, ...address(offset)], "f64.store": (offset) => [0x39, ...address(offset)],
  "f64.promote_f32": () => [0xbb],
  "i32.eq": () => [0x46], "i32.lt_s": () => [0x48], "i32.gt_s": () => [0x4a],
  "i32.add": () => [0x6a], "i32.sub": () => [0x6b], "i32.mul": () => [0x6c],
}
const VECTORS = {
  "f64x2.splat": 0x14, "f32x4.gt": 0x44, "v128.bitselect": 0x52, "f32x4.demote_f64x2_zero": 0x5e,
  "f64x2.promote_low_f32x4": 0x5f, "f32x4.add": 0xe4, "f64x2.add": 0xf0, "f64x2.mul": 0xf2,
}
const VECTOR_MEMORY = { "v128.load": 0x00, "v128.load32_splat": 0x09, "v128.store": 0x0b, "v128.load64_zero": 0x5d }
for (const [name, code] of Object.entries(VECTORS)) OPERATIONS[name] = () => [SIMD, ...unsigned(code)]
for (const [name, code] of Object.entries(VECTOR_MEMORY)) {
  OPERATIONS[name] = (offset) => [SIMD, ...unsigned(code), ...address(offset)]
}
OPERATIONS["v128.store32_lane"] = (lane) => [SIMD, 0x5a, ...address(0), Number(lane)]
// Low halves of two vectors as one, and a vector's high half as low one.
OPERATIONS.low_halves = () => [SIMD, 0x0d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
OPERATIONS.high_half = () => [SIMD, 0x0d, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]
// Four times -0, which changes nothing where it is added.
OPERATIONS.minus_zeros = () => [SIMD, 0x0c, ...Array(4).fill([0, 0, 0, 0x80]).flat()]
OPERATIONS.zeros = () => [SIMD, 0x0c, ...Array(16).fill(0)]

const LOCALS = { get: 0x20, set: 0x21, tee: 0x22 }
const TAKES = /^(br_if|i32\.const|.*\.load.*|.*\.store.*)$/

/** @typedef {object} Procedure
 * @property {Object<string, "i32" | "f64">} takes name -> type, in order
 * @property {Object<string, string[]>} locals type -> names
 * @property {string} body instructions; locals by `get name`, `set name` and `tee name` */

const code = ({ takes, locals, body }) => {
  const names = [...Object.keys(takes), ...Object.values(locals).flat()], words = body.split(/\s+/).filter(Boolean), bytes = []
  while (words.length) {
    const word = words.shift()
    if (word in LOCALS) {
      const place = names.indexOf(words.shift())
      if (place < 0) throw new Error(`no local of that name after ${word}`)
      bytes.push(LOCALS[word], ...unsigned(place))
    } else if (word in OPERATIONS) bytes.push(...OPERATIONS[word](TAKES.test(word) ? words.shift() : undefined))
    else throw new Error(`no instruction ${word}`)
  }
  const declared = Object.entries(locals).map(([type, those]) => [...unsigned(those.length), TYPES[type]])
  return counted([...list(declared), ...bytes, 0x0b])
}

/** A module of procedures that return nothing and share the memory that is imported as "it.memory".
 * @param {Object<string, Procedure>} procedures exported by name @returns {Uint8Array} */
export const assemble = (procedures) => {
  const all = Object.entries(procedures)
  const sections = {
    1: all.map(([, { takes }]) => [0x60, ...list(Object.values(takes).map((type) => [TYPES[type]])), 0]),
    2: [[...text("it"), ...text("memory"), 0x02, 0, 0]],
    3: all.map((_, i) => unsigned(i)),
    7: all.map(([name], i) => [...text(name), 0, ...unsigned(i)]),
    10: all.map(([, procedure]) => code(procedure)),
  }
  const body = Object.entries(sections).flatMap(([id, items]) => [Number(id), ...counted(list(items))])
  return Uint8Array.from([0, ...text("asm").slice(1), 1, 0, 0, 0, ...body])
}
