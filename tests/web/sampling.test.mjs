import assert from "node:assert/strict"
import { test } from "node:test"
import {
  BINS, cdfAt, DENSITIES, densityOf, DRAWN, HIGH, KNOTS, LOW, middle, normalCdf, quantile, tableOf,
} from "../../genlib/web/sampling/densities.js"
import { FIELDS } from "../../genlib/web/sampling/fields.js"
import { distance, placeOf, PLACES, study } from "../../genlib/web/sampling/study.js"
import { Random, STREAMS } from "../../genlib/web/shared/learn/random.js"
import { linkOf, readSettings } from "../../genlib/web/shared/learn/settings.js"
import { given } from "./given.mjs"
import { remembering } from "./training.mjs"

const START = readSettings(FIELDS, {}), WIDTH = (HIGH - LOW) / BINS
const { atLink } = remembering(study, FIELDS, "sampling.")

/** The mean of value(best D, D) over all points, real and forged. */
const meanOf = ({ shown: { belief, optimal, q } }, { p }, value) => {
  let sum = 0, weight = 0
  optimal.forEach((best, i) => {
    if (Number.isNaN(best)) return
    weight += p[i] + q[i]
    sum += (p[i] + q[i]) * value(best, belief[i])
  })
  return sum / weight
}
const misjudged = (found, table) => meanOf(found, table, (best, belief) => Math.abs(belief - best))

const LESSONS = {
  steep: async ({ state }) => {
    const { p, cdf } = tableOf(START), random = new Random(START.seed, STREAMS.shown), highest = Math.max(...p)
    const low = (x) => p[Math.floor((x - LOW) / WIDTH)] < 0.02 * highest
    let rare = 0
    for (let i = 0; i < Number(state["sampling.n"]); i++) rare += low(quantile(cdf, random.uniform()))
    assert.ok(rare / state["sampling.n"] < 0.02, `${rare} are rare`)
    assert.ok(p.filter((value) => value < 0.02 * highest).length > BINS / 2)
  },
  gap: async ({ state }) => {
    const { gap } = (await atLink(state)).shown.measures
    assert.ok(gap > 0.01 && gap < 0.06, `${gap} in gaps`)
  },
  hurry: async ({ state }) => {
    const { g } = (await atLink(state)).shown
    const slopes = Array.from({ length: PLACES - 1 }, (_, i) => Math.abs(g[i + 1] - g[i]))
    const at = slopes.indexOf(Math.max(...slopes))
    assert.ok(Math.abs((g[at] + g[at + 1]) / 2) < 0.8 && Math.abs(placeOf(at, "normal")) < 0.5, `steepest at ${g[at]}`)
    assert.ok(slopes[at] > 10 * slopes.toSorted((a, b) => a - b)[PLACES >> 1])
  },
  best: async ({ state, before }) => {
    const found = await atLink(state), table = tableOf(START)
    assert.ok(misjudged(await atLink(before), table) > 2 * misjudged(found, table))
    assert.ok(misjudged(found, table) < 0.05)
    // The other answers are wrong: neither near 0 or 1 everywhere, nor 0.5.
    assert.ok(meanOf(found, table, (best) => (best > 0.15 && best < 0.85 ? 1 : 0)) > 0.5)
    assert.ok(meanOf(found, table, (best) => Math.abs(best - 0.5)) > 0.2)
    // And p and q overlap: their smaller one holds a good part of either.
    const shared = found.shown.q.reduce((sum, q, i) => sum + Math.min(q, table.p[i]) * WIDTH, 0)
    assert.ok(shared > 0.4, `${shared} shared`)
  },
}
test("every lesson of the page is computed here", () =>
  assert.deepEqual(Object.keys(given.lessons.sampling), Object.keys(LESSONS)))
for (const [key, claim] of Object.entries(LESSONS)) test(`lesson: ${key}`, () => claim(given.lessons.sampling[key]))

test("each density integrates to 1, and F⁻¹ undoes F where p isn't 0", () => {
  for (const density of Object.keys(DENSITIES)) {
    const { p, cdf } = tableOf({ density, heights: [] })
    assert.ok(Math.abs(p.reduce((sum, value) => sum + value * WIDTH, 0) - 1) < 1e-12, density)
    assert.ok(Math.abs(cdf[BINS] - 1) < 1e-12 && cdf[0] === 0)
    for (let u = 0.001; u < 1; u += 0.0137) assert.ok(Math.abs(cdfAt(cdf, quantile(cdf, u)) - u) < 1e-12, `${density} ${u}`)
  }
})

test("uniform numbers through F⁻¹ follow p", () => {
  const { p, cdf } = tableOf({ density: "three modes", heights: [] }), random = new Random(7, STREAMS.shown)
  const n = 20_000, counts = new Float64Array(BINS)
  for (let i = 0; i < n; i++) counts[Math.floor((quantile(cdf, random.uniform()) - LOW) / WIDTH)] += 1
  counts.forEach((count, i) => {
    const expected = n * p[i] * WIDTH
    assert.ok(Math.abs(count - expected) < 5 * Math.sqrt(expected) + 1, `bin ${i}: ${count}, not ${expected}`)
  })
})

test("nothing lands where a drawn density is 0, and an empty drawing is even", () => {
  const heights = Array.from({ length: KNOTS }, (_, k) => (k < 12 ? 40 : 0))
  const { cdf } = tableOf({ density: DRAWN, heights })
  for (let u = 0.001; u < 1; u += 0.01) assert.ok(quantile(cdf, u) <= LOW + (12 / KNOTS) * (HIGH - LOW) + 1e-9)
  const even = tableOf({ density: DRAWN, heights: new Array(KNOTS).fill(0) })
  assert.ok(Math.abs(quantile(even.cdf, 0.5)) < 1e-9)
})

test("Φ is the normal distribution's", () => {
  for (const [z, share] of [[0, 0.5], [1, 0.8413447461], [-1.96, 0.0249978951], [3, 0.9986501020]]) {
    assert.ok(Math.abs(normalCdf(z) - share) < 1e-7, `${z}`)
  }
})

test("distance is 0 for the density's own quantiles and the shift for shifted ones", () => {
  const { cdf } = tableOf(START), n = 4000
  const own = Float32Array.from({ length: n }, (_, i) => quantile(cdf, (i + 0.5) / n))
  assert.ok(distance(cdf, own) < 1e-6)
  assert.ok(Math.abs(distance(cdf, own.map((x) => x + 0.25)) - 0.25) < 1e-6)
})

test("samples' density integrates to the share that is on the axis", () => {
  const q = densityOf([-1, -0.99, 0.5, 9])
  assert.ok(Math.abs(q.reduce((sum, value) => sum + value * WIDTH, 0) - 0.75) < 1e-12)
  assert.ok(Math.abs(middle(q.indexOf(Math.max(...q))) + 1) < 0.05)
})

test("a drawn density survives the link", () => {
  const heights = Array.from({ length: KNOTS }, (_, k) => (k * 5) % 64)
  const settings = { ...START, density: DRAWN, heights }
  const link = Object.fromEntries(Object.entries(linkOf(FIELDS, settings)).filter(([, text]) => text !== null))
  assert.deepEqual(readSettings(FIELDS, link), settings)
  assert.deepEqual(readSettings(FIELDS, { heights: "short", density: "none" }), START)
})
