// A packed message: header length (uint32), header JSON, then the arrays that header.arrays names.
function unpack(bytes) {
  const copy = bytes.slice(); // a view needs arrays to start at multiples of four: pack sees to it
  const length = new DataView(copy.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(copy.subarray(4, 4 + length)));
  const kinds = { float32: Float32Array, uint8: Uint8Array, int32: Int32Array };
  for (const [name, { kind, offset, count }] of Object.entries(header.arrays)) {
    header[name] = new kinds[kind](copy.buffer, offset, count);
  }
  return header;
}
