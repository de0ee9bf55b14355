// Unpacks what film.py packed: Streamlit passes bytes only as the whole of a component's data.
//   4 bytes: length of the header | header: JSON with the parts' lengths | parts
function unwrap(bytes) {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const { meta, parts } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const data = { meta };
  let at = 4 + size;
  for (const [name, length] of parts) {
    data[name] = bytes.subarray(at, at + length);
    at += length;
  }
  return data;
}
