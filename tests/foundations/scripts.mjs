// The script that a page offers, and the weights that the page itself has after the same steps, as JSON.
//   node scripts.mjs gan_plane '{"data": "line", "log": "5b"}'     parameters as in the page's link
import { readLog, readSettings } from "../../genlib/web/shared/learn/settings.js"

const [page, link] = [process.argv[2], JSON.parse(process.argv[3])]
const { script } = await import(`../../genlib/web/${page}/code.js`)
const { FIELDS } = await import(`../../genlib/web/${page}/fields.js`)
const { study } = await import(`../../genlib/web/${page}/study.js`)
const settings = readSettings(FIELDS, link), log = readLog(FIELDS, link.log)
const { gan } = study(settings)
for (const { op, count, name, value } of log) {
  if (name) gan.change({ [name]: value })
  for (let k = 0; k < (count ?? 0); k++) ({ b: () => gan.step(), d: () => gan.stepD(), g: () => gan.stepG() })[op]()
}
console.log(JSON.stringify({ script: script(settings, log), weights: [[...gan.g.values], [...gan.d.values]] }))
