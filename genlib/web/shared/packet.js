/** Takes apart what packet.py joined: one object with the plain values and the arrays.
 *     | length of the header, uint32 | header: JSON | array | array |   each at a multiple of four
 * @param {Uint8Array} bytes the whole packet; arrays are views of it
 * @returns {Object<string, any>} values and arrays (Uint8Array, Int32Array, Float32Array) by name */
export const unpack = (bytes) => {
  const block = bytes.byteOffset % 4 ? bytes.slice() : bytes // a view must start at a multiple of 4
  const size = new DataView(block.buffer, block.byteOffset).getUint32(0, true)
  const { values, parts } = JSON.parse(new TextDecoder().decode(block.subarray(4, 4 + size)))
  const kinds = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array }
  let at = block.byteOffset + 4 + size
  for (const [name, kind, count] of parts) {
    values[name] = new kinds[kind](block.buffer, at, count)
    at += 4 * Math.ceil(values[name].byteLength / 4)
  }
  return values
}

/** Bytes inside other data travel as base64 text. @param {string} text @returns {Uint8Array} */
export const fromText = (text) =>
  Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
