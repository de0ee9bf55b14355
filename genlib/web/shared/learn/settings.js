// What can be set about a GAN's training, with its place in the link and its bounds.
import { ACTIVATIONS } from "./activations.js"
import { NOISES } from "./gan.js"
import { LOSSES } from "./losses.js"
import { OPTIMIZERS } from "./optimizers.js"

const DEEPEST = 4, WIDEST = 256

const choice = (label, options, start, help) => ({
  label, options, start, help, text: String,
  read: (text) => (options.includes(text) ? text : undefined),
})
const number = (label, options, start, [low, high], help, whole = false) => ({
  label, options, start, help, text: String,
  read: (text) => {
    const x = Number(text)
    return text.trim() && x >= low && x <= high && (!whole || Number.isInteger(x)) ? x : undefined
  },
})
// Layers of hidden units: "32, 32" on the screen, 32-32 in the link, 0 for none.
const widths = (label, start, help) => ({
  label, start, help,
  options: [[], [4], [8], [16], [32], [8, 8], [16, 16], [32, 32], [64, 64], [32, 32, 32]],
  text: (value) => value.join("-") || "0",
  read: (text) => {
    const found = text === "0" ? [] : text.split("-").map(Number)
    const ok = found.length <= DEEPEST && found.every((w) => Number.isInteger(w) && w > 0 && w <= WIDEST)
    return ok ? found : undefined
  },
})
const RATES = [0.0001, 0.0003, 0.001, 0.002, 0.003, 0.01, 0.03, 0.1, 0.3]

/** name in the settings and in the link -> how it reads. `live` ones may change while it trains; a change
 * of any other begins again, from the same seed. */
export const LEARNING = {
  loss: { ...choice("Loss", Object.keys(LOSSES), "non-saturating", "What D and G minimise."), live: true },
  lrD: { ...number("D's learning rate", RATES, 0.001, [1e-6, 10], "The size of D's steps."), live: true },
  lrG: { ...number("G's learning rate", RATES, 0.001, [1e-6, 10], "The size of G's steps."), live: true },
  dSteps: { ...number("D steps per G step", [1, 2, 3, 5, 10], 1, [1, 20], "D's steps before each of G's.", true), live: true },
  optimizer: choice("Optimizer", Object.keys(OPTIMIZERS), "adam", "How gradients become steps."),
  beta1: number("Adam's β₁", [0, 0.5, 0.9], 0.5, [0, 0.99], "The momentum: how long Adam remembers gradients."),
  batch: number("Batch size", [16, 32, 64, 128, 256], 128, [2, 512], "Points in each step.", true),
  gWidths: widths("G's hidden layers", [32, 32], "Units in each hidden layer of the generator."),
  dWidths: widths("D's hidden layers", [32, 32], "Units in each hidden layer of the discriminator."),
  activation: choice("Activation", Object.keys(ACTIVATIONS), "leaky relu", "After each hidden layer of both."),
  noise: choice("Noise z", Object.keys(NOISES), "normal", "N(0, 1), or uniform between −1 and 1."),
  seed: number("Seed", [1, 2, 3, 4, 5], 1, [0, 99999], "Seed of the initial weights, batches and noise.", true),
}

/** Settings from the texts of a link; what is missing or can't be used is as it starts.
 * @param {object} fields like LEARNING @param {Object<string, string>} link */
export const readSettings = (fields, link) => Object.fromEntries(Object.entries(fields).map(([name, field]) =>
  [name, (name in link ? field.read(link[name]) : undefined) ?? field.start]))

/** Texts for the link, null for what is as it starts. @param {object} fields @param {object} settings */
export const linkOf = (fields, settings) => Object.fromEntries(Object.entries(fields).map(([name, field]) => {
  const text = field.text(settings[name])
  return [name, text === field.text(field.start) ? null : text]
}))

// ----------------------------------------------------------------------------- what was done so far
// "1200b~3d~lrG=0.01~500b": 1200 whole steps, three of D alone, another rate, 500 more.

/** @typedef {{op: "b" | "d" | "g", count: number} | {name: string, value: unknown}} Deed */
const MOST = 1e6

/** @param {object} fields @param {string} text @returns {Deed[]} empty if it can't be read */
export const readLog = (fields, text) => {
  const found = []
  for (const part of text.split("~").filter(Boolean)) {
    const steps = part.match(/^(\d{1,7})([bdg])$/), change = part.match(/^(\w+)=(.+)$/)
    if (steps) found.push({ op: steps[2], count: Number(steps[1]) })
    else if (change && fields[change[1]]?.live && fields[change[1]].read(change[2]) !== undefined) {
      found.push({ name: change[1], value: fields[change[1]].read(change[2]) })
    } else return []
  }
  return stepsIn(found) > MOST ? [] : found
}

/** @param {object} fields @param {Deed[]} log @returns {string} */
export const logText = (fields, log) => log.map((deed) =>
  (deed.op ? `${deed.count}${deed.op}` : `${deed.name}=${fields[deed.name].text(deed.value)}`)).join("~")

/** What a log still asks for after what is done; null if that isn't how it begins.
 * @param {Deed[]} done @param {Deed[]} log @returns {Deed[] | null} */
export const restOf = (done, log) => {
  const whole = []
  for (const deed of log) note(whole, deed)
  for (const [i, deed] of done.entries()) {
    const then = whole[0]
    if (!then || then.op !== deed.op || then.name !== deed.name) return null
    if (deed.name ? then.value !== deed.value : then.count < deed.count) return null
    if (deed.name || then.count === deed.count) whole.shift()
    else if (i < done.length - 1) return null
    else whole[0] = { ...then, count: then.count - deed.count }
  }
  return whole
}

/** How many steps a log has, of D, G or both. @param {Deed[]} log */
export const stepsIn = (log) => log.reduce((sum, deed) => sum + (deed.count ?? 0), 0)

/** Add a deed; equal steps in a row are one. @param {Deed[]} log changed in place @param {Deed} deed */
export const note = (log, deed) => {
  const last = log.at(-1)
  if (deed.op && last?.op === deed.op) last.count += deed.count
  else if (deed.name && last?.name === deed.name) last.value = deed.value
  else log.push({ ...deed })
}
