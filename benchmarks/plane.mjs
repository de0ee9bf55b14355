// The JavaScript side of plane.py. Reads one line of JSON for each thing to do, answers with one.
//   {"steps": 200, "bench": "simd"}     -> {"seconds": CPU seconds of so many steps of the page's GAN}
//   {"race": "ours", "seed": 1, ...}    -> {"step": the first at which 8 of 8 modes are covered, or null, ...}
import { createInterface } from "node:readline"
import { FIELDS } from "../genlib/web/gan_plane/fields.js"
import { measureOf } from "../genlib/web/gan_plane/measure.js"
import { FIXED } from "../genlib/web/gan_plane/study.js"
import { drawFrom, TARGETS } from "../genlib/web/gan_plane/targets.js"
import { Gan, NOISES } from "../genlib/web/shared/learn/gan.js"
import { LOSSES } from "../genlib/web/shared/learn/losses.js"
import { BENCHES } from "../genlib/web/shared/learn/mlp.js"
import { Random, STREAMS } from "../genlib/web/shared/learn/random.js"
import { readSettings } from "../genlib/web/shared/learn/settings.js"

const RING = TARGETS["ring of 8"], EVERY = 50, SAMPLES = 1000
const OURS = { ...readSettings(FIELDS, {}), ...FIXED }
// poloclub/ganlab, demo/ganlab.html and demo/ganlab_models.ts: "1 hidden layer, 8 neurons" has a layer of 8
// before it, the noise is even on [0, 1]², the log of D on real points weighs 0.95, and D steps twice.
const GAN_LAB = {
  ...OURS, noise: "uniform", gWidths: [8, 8], dWidths: [8, 8], activation: "relu", output: "tanh", init: "normal",
  loss: "smoothed", optimizer: "sgd", lrG: 0.1, lrD: 0.1, dSteps: 2, batch: 150,
}
const { real, ...log } = LOSSES["non-saturating"]
const SMOOTHED = { smoothed: { ...log, real: { loss: (s) => 0.95 * real.loss(s), slope: (s) => 0.95 * real.slope(s) } } }
// Its plane is [0, 1]²: the ring is as large there as its own ring is, with a radius of 0.3 around 0.5.
const shrunk = (at, out) => { for (let i = 0; i < out.length; i++) out[i] = 0.5 + 0.3 * at(out[i]) }

const RACERS = {
  ours: { settings: OURS, into: (out) => out, back: (x) => x },
  "GAN Lab": {
    settings: GAN_LAB,
    into: (out) => shrunk((x) => x, out),
    back: (x) => x.map((value) => (value - 0.5) / 0.3),
  },
}

const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6 }

const racing = ({ race, seed, most }) => {
  const { settings, into, back } = RACERS[race], draw = drawFrom(RING)
  const gan = new Gan({ ...settings, seed }, (random, out, count) => { draw(random, out, count); into(out) }, { ...LOSSES, ...SMOOTHED })
  const shown = new Random(seed, STREAMS.shown), sample = new Float32Array(800), z = new Float32Array(2 * SAMPLES)
  draw(shown, sample, 400)
  const noise = (random) => (race === "ours" ? random : { uniforms: (out) => random.uniforms(out, 0, 1) })
  gan.noise = noise(gan.noise)
  NOISES[settings.noise](noise(shown), z)
  const measure = measureOf(RING, sample), begin = cpu()
  let best = 0
  for (let step = EVERY; step <= most; step += EVERY) {
    for (let k = 0; k < EVERY; k++) gan.step()
    const { covered } = measure(back(gan.generate(z, SAMPLES)))
    best = Math.max(best, covered)
    if (covered === 8) return { step, seconds: cpu() - begin, best }
  }
  return { step: null, seconds: cpu() - begin, best }
}

const gans = Object.fromEntries(Object.keys(BENCHES).map((bench) => [bench, new Gan(OURS, drawFrom(RING), LOSSES, bench)]))
for (const gan of Object.values(gans)) for (let k = 0; k < 300; k++) gan.step() // compiled by then
const timing = ({ steps, bench }) => {
  const begin = cpu(), gan = gans[bench]
  for (let k = 0; k < steps; k++) gan.step()
  return { seconds: cpu() - begin }
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  console.log(JSON.stringify(asked.race ? racing(asked) : timing(asked)))
}
