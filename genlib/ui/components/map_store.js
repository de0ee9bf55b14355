// Draws nothing: takes pictures, or codes with a decoder, once, and puts them on the page's shelf
// (decoder.js), where the map finds them by name.

export default function mapStore({ data }) {
  const stored = unpack(data);
  if (isShared(stored.name)) return;
  if (stored.atlas) {
    createImageBitmap(new Blob([stored.atlas], { type: "image/png" })).then((sheet) => {
      share(stored.name, { sheet, columns: stored.columns, side: stored.side });
    });
    return;
  }
  const { codes, low, high, latents } = stored;
  const decoder = stored.model ? compileDecoder(stored.model, stored.weights) : null;
  share(stored.name, { decoder, codes, low, high, latents });
}
