// Numbers, sums and PyTorch as text.

/** A number with at most two decimals and a true minus sign. @param {number} x */
export const say = (x) => {
  const text = String(Math.round(x * 100) / 100)
  return (text === "-0" ? "0" : text).replace("-", "−")
}

/** A factor: in brackets where it is negative. @param {number} x */
export const factor = (x) => (x < 0 ? `(${say(x)})` : say(x))

/** A call's arguments: the stride always, the rest where it isn't 0.
 * @param {import("./operation.js").Setting} setting */
const keywords = ({ s, p, e }) =>
  [`stride=${s}`, p && `padding=${p}`, e && `output_padding=${e}`].filter(Boolean).join(", ")

/** The equivalent PyTorch line. @param {import("./operation.js").Setting} setting */
export const pytorchLine = (setting) => `y = F.conv_transpose2d(x, w, ${keywords(setting)})`

/** The same as a layer. @param {import("./operation.js").Setting} setting */
export const pytorchLayer = (setting) => `nn.ConvTranspose2d(1, 1, ${setting.k}, ${keywords(setting)}, bias=False)`

const tensor = (values, side) => {
  const rows = Array.from({ length: side }, (_, r) => `[${Array.from(values.slice(r * side, (r + 1) * side), (v) =>
    Number.isInteger(v) ? `${v}.0` : String(v)).join(", ")}]`)
  return `torch.tensor([[[${rows.join(", ")}]]])`
}

/** A script with these numbers, which prints y. @param {import("./operation.js").Setting} setting
 * @param {number[]} x @param {number[]} w */
export const pytorchScript = (setting, x, w) => `import torch
import torch.nn.functional as F

x = ${tensor(x, setting.n)}
w = ${tensor(w, setting.k)}
${pytorchLine(setting)}
print(y[0, 0])
`

/** Where a cell is: [1, 0]. @param {number} cell @param {number} side */
export const place = (cell, side) => `[${Math.floor(cell / side)}, ${cell % side}]`
