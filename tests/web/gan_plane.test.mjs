import assert from "node:assert/strict"
import { test } from "node:test"
import { FIELDS, intoPlane, MOST_POINTS } from "../../genlib/web/gan_plane/fields.js"
import { measureOf, spreadOf } from "../../genlib/web/gan_plane/measure.js"
import { PRESETS } from "../../genlib/web/gan_plane/presets.js"
import { study } from "../../genlib/web/gan_plane/study.js"
import { DRAWN, drawFrom, TARGETS, targetOf } from "../../genlib/web/gan_plane/targets.js"
import { Random, STREAMS } from "../../genlib/web/shared/learn/random.js"
import { Session, SLOW } from "../../genlib/web/shared/learn/session.js"
import { linkOf, logText, readLog, readSettings, restOf } from "../../genlib/web/shared/learn/settings.js"
import { given } from "./given.mjs"
import { opened as openedIn, remembering } from "./training.mjs"

const START = readSettings(FIELDS, {})

const opened = (...given) => openedIn(study, ...given)
const { reached, atLink } = remembering(study, FIELDS, "gan_plane.")
/** Train and look every so often. */
const watch = (settings, steps, every, look) => {
  const { gan, show } = study({ ...START, ...settings })
  for (let step = 1; step <= steps; step++) {
    gan.step()
    if (step % every === 0) look(show({ colour: false }), gan)
  }
}
const centreOf = (points) => [0, 1].map((axis) =>
  points.reduce((sum, value, i) => sum + (i % 2 === axis ? value : 0), 0) / (points.length / 2))
const meanLoss = ({ history }, from) => {
  const late = history.filter(([step]) => step > from)
  return late.reduce((sum, entry) => sum + entry[1], 0) / late.length
}
const preset = (title) => PRESETS.find((one) => one.title === title)

// ------------------------------------------------------------------------------- presets and lessons
const CLAIMS = {
  Succeeds: async ({ settings }) => {
    const found = await reached({ ...START, ...settings }, [{ op: "b", count: 2000 }])
    assert.equal(found.shown.measures.covered, 8)
    assert.ok(Math.abs(meanLoss(found, 1000) - Math.log(4)) < 0.1)
  },
  Collapses: async ({ settings }) => {
    const visited = new Set()
    let most = 0
    watch(settings, 2500, 50, ({ samples, measures }) => {
      const [x, y] = centreOf(samples)
      most = Math.max(most, measures.covered)
      if (measures.spread < 0.3 && Math.hypot(x, y) > 0.8) visited.add(Math.round(Math.atan2(y, x) / (Math.PI / 4) + 8) % 8)
    })
    assert.ok(most < 3, `${most} modes at once`)
    assert.ok(visited.size >= 5, `${visited.size} modes in turn`)
  },
  Recovers: async ({ settings, log }) => {
    const deeds = readLog(FIELDS, log)
    const before = await reached({ ...START, ...settings }, deeds.slice(0, 1))
    const after = await reached({ ...START, ...settings }, [...deeds, { op: "b", count: 1000 }])
    assert.ok(before.shown.measures.covered <= 1)
    assert.ok(after.shown.measures.covered >= 6)
    assert.deepEqual(settings, preset("Collapses").settings)
  },
  Oscillates: async ({ settings }) => {
    const of = (changes) => reached({ ...START, ...settings, ...changes }, [{ op: "b", count: 2000 }])
    const { history } = await of({}) // now and then it sweeps over a mode or two
    assert.ok(Math.max(...history.filter(([step]) => step % 500 === 0).map((entry) => entry[3])) <= 2 / 8)
    assert.equal((await of({ beta1: 0.5 })).shown.measures.covered, 8)
  },
  Circles: async ({ settings }) => {
    const [at] = TARGETS["one Gaussian"].modes, way = []
    watch(settings, 800, 4, ({ samples }) => way.push(centreOf(samples).map((value, axis) => value - at[axis])))
    let turned = 0
    for (let i = 1; i < way.length; i++) {
      const by = Math.atan2(way[i][1], way[i][0]) - Math.atan2(way[i - 1][1], way[i - 1][0])
      turned += by - 2 * Math.PI * Math.round(by / (2 * Math.PI))
    }
    const far = (part) => part.reduce((sum, place) => sum + Math.hypot(...place), 0) / part.length
    assert.ok(Math.abs(turned) > 6 * Math.PI, `${turned / 2 / Math.PI} turns`)
    assert.ok(far(way.slice(-50)) < 0.5 * far(way.slice(0, 50)))
  },
}
test("every example on the list is computed here", () => assert.deepEqual(PRESETS.map((p) => p.title), Object.keys(CLAIMS)))
for (const [title, claim] of Object.entries(CLAIMS)) test(`example: ${title}`, () => claim(preset(title)))

const LESSONS = {
  eight: async ({ state }) => {
    const { covered, close } = (await atLink(state)).shown.measures
    assert.equal(covered, 8)
    assert.ok(close > 0.65 && close < 0.75, `${close} on target`) // "about three in ten" are not
  },
  fast: async ({ state }) => {
    const { covered, spread, close } = (await atLink(state)).shown.measures
    assert.ok(covered === 1 && close > 0.95 && spread < 0.1, `${covered} covered, ${close} on target, spread ${spread}`)
  },
  recover: async ({ state, before }) => {
    const then = (await atLink(before)).shown.measures
    assert.ok(then.covered === 1 && then.close > 0.75 && then.spread < 0.2, `${then.close} on target, spread ${then.spread}`)
    assert.ok((await atLink(state)).shown.measures.covered >= 6)
  },
  momentum: async ({ state }) => {
    assert.ok((await atLink(state)).shown.measures.covered <= 1)
    assert.equal((await atLink({ ...state, "gan_plane.beta1": "0.5" })).shown.measures.covered, 8)
  },
  minimax: async ({ state }) => {
    const found = await atLink(state)
    assert.equal(found.shown.measures.covered, 8)
    assert.ok(Math.abs(meanLoss(found, 1000) - Math.log(4)) < 0.1)
  },
}
test("every lesson of the page is computed here", () =>
  assert.deepEqual(Object.keys(given.lessons.gan_plane), Object.keys(LESSONS)))
for (const [key, claim] of Object.entries(LESSONS)) test(`lesson: ${key}`, () => claim(given.lessons.gan_plane[key]))

// --------------------------------------------------------------------------- the session and its link
test("a link of settings and a log opens the weights that stepping by hand has made", async () => {
  const settings = { ...START, data: "two moons", batch: 32, dSteps: 2 }
  const log = readLog(FIELDS, "7b~2d~1g~lrG=0.01~3b")
  const found = await opened(settings, log)
  const { gan } = study(settings)
  for (let k = 0; k < 7; k++) gan.step()
  gan.stepD()
  gan.stepD()
  gan.stepG()
  gan.change({ lrG: 0.01 })
  for (let k = 0; k < 3; k++) gan.step()
  assert.deepEqual(found.weights, [gan.g.values, gan.d.values])
  assert.equal(logText(FIELDS, found.log), "7b~2d~1g~lrG=0.01~3b")
  assert.equal(found.step, 11)
})

test("a log that goes on from what is trained isn't trained from the start", async () => {
  const settings = { ...START, gWidths: [8], dWidths: [8], batch: 16 }
  const short = readLog(FIELDS, "12b~lrG=0.01~3d"), long = readLog(FIELDS, "12b~lrG=0.01~5d~4b")
  const expected = await opened(settings, long)
  const session = new Session(study, () => {})
  const finish = (log, id, given = settings) => {
    session.hear({ start: { settings: given, log, id } })
    while (session.waiting.length) session.train()
    return session.gan
  }
  const gan = finish(short, 1)
  assert.equal(finish(long, 2), gan)
  assert.deepEqual([gan.g.values, gan.d.values], expected.weights)
  assert.equal(logText(FIELDS, session.log), "12b~lrG=0.01~5d~4b")
  assert.equal(session.id, 2)
  assert.notEqual(finish(short, 3), gan) // it can't go back
  const again = session.gan
  assert.notEqual(finish(short, 4, { ...settings, seed: 9 }), again)
  session.end()
})

test("what is left of a log", () => {
  const rest = (done, log) => {
    const found = restOf(readLog(FIELDS, done), readLog(FIELDS, log))
    return found && logText(FIELDS, found)
  }
  assert.equal(rest("", "5b"), "5b")
  assert.equal(rest("5b", "5b"), "")
  assert.equal(rest("5b", "3b~4b~lrG=0.01"), "2b~lrG=0.01")
  for (const [done, log] of [["5b", "4b"], ["5b~1d", "7b~1d"], ["5b~lrG=0.01", "5b~lrG=0.1"], ["5b", "5d"], ["1b", ""]]) {
    assert.equal(rest(done, log), null, `${done} then ${log}`)
  }
})

test("rewinding gives the same first weights, also after a change of D", async () => {
  const first = (settings) => opened(settings, [])
  const [a, b, c] = await Promise.all([first(START), first(START), first({ ...START, dWidths: [8] })])
  assert.deepEqual(a.weights, b.weights)
  assert.deepEqual(a.weights[0], c.weights[0])
})

test("slow motion takes D's steps and G's in turn", () => opened({ ...START, dSteps: 2 }, [], (session) => {
  for (let k = 0; k < 6; k++) session.halfStep()
  assert.equal(logText(FIELDS, session.log), "2d~1g~2d~1g")
  assert.ok(SLOW > 0)
}))

test("the history stays short and its steps in order", () => opened({ ...START, gWidths: [4], dWidths: [4], batch: 2 }, [
  { op: "b", count: 20_000 },
], (session) => {
  const steps = session.history.map(([step]) => step)
  assert.ok(steps.length > 100 && steps.length <= 301)
  assert.deepEqual(steps, steps.toSorted((a, b) => a - b))
  assert.equal(steps.at(-1), 20_000)
}))

test("settings survive the link, and what a link can't hold is as it starts", () => {
  const settings = {
    ...START, data: DRAWN, points: [[0.5, -1], [-1.5, 1.5]], gWidths: [], dWidths: [7, 9], lrG: 0.004, loss: "minimax",
  }
  const link = Object.fromEntries(Object.entries(linkOf(FIELDS, settings)).filter(([, text]) => text !== null))
  assert.deepEqual(Object.keys(link).sort(), ["dWidths", "data", "gWidths", "loss", "lrG", "points"])
  const back = readSettings(FIELDS, link)
  back.points = back.points.map((point) => point.map((x) => Math.round(100 * x) / 100))
  assert.deepEqual(back, settings)
  const odd = { data: "nowhere", gWidths: "1-x", lrG: "-1", batch: "3.5", points: "abc", seed: "", beta1: "NaN" }
  assert.deepEqual(readSettings(FIELDS, odd), START)
  for (const text of ["5x", "lrG=9999", "batch=16", "99999999b", "b", "500000b~500001d"]) assert.deepEqual(readLog(FIELDS, text), [])
})

test("points of any scale come into the plane, at most as many as a link holds", () => {
  const far = Array.from({ length: 3000 }, (_, i) => [1e4 + i, 5 * Math.sin(i)])
  const near = intoPlane(far)
  assert.equal(near.length, MOST_POINTS)
  assert.ok(near.flat().every((x) => Math.abs(x) <= 1.2001))
  assert.ok(Math.abs(near[0][0] + near.at(-1)[0]) < 0.01)
  assert.throws(() => intoPlane([[1, 2], [3, -1e300]]), /-1e\+300/)
})

// ---------------------------------------------------------------------------------------- measures
const sample = (target, n, seed = 1) => {
  const out = new Float32Array(2 * n)
  drawFrom(target)(new Random(seed, STREAMS.data), out, n)
  return out
}

test("every target covers itself, lies in the plane, and a single point covers next to nothing", () => {
  for (const [name, target] of Object.entries(TARGETS)) {
    const real = sample(target, 400), measure = measureOf(target, real)
    const same = measure(sample(target, 1000, 2)), dot = measure(new Float32Array(2000).map((_, i) => real[i % 2]))
    assert.ok(real.every((x) => Math.abs(x) < 1.45), name)
    assert.ok((target.modes ? same.covered / same.modes : same.covered) > 0.9, `${name}: ${same.covered}`)
    assert.ok(same.close > 0.9 && Math.abs(same.spread - 1) < 0.1, name)
    assert.ok(dot.covered <= (target.modes ? 1 : 0.05) && dot.spread < 1e-3, name)
  }
})

test("a mode with less than a quarter of its share isn't covered", () => {
  const target = TARGETS["ring of 8"], measure = measureOf(target, sample(target, 400))
  const few = (count) => { // of 1,000 samples on mode 0, all others on mode 4
    const points = new Float32Array(2000)
    for (let i = 0; i < 1000; i++) points[2 * i] = i < count ? 1 : -1
    return measure(points).covered
  }
  assert.equal(few(31), 1) // 1000 / 8 / 4 = 31.25
  assert.equal(few(32), 2)
})

test("drawn points are the target, and spread is the root mean squared distance", () => {
  const points = sample(targetOf({ data: DRAWN, points: [[1, 0], [-1, 0]] }), 2000)
  for (let i = 0; i < points.length; i += 2) assert.ok(Math.abs(Math.abs(points[i]) - 1) < 0.12)
  assert.ok(Math.abs(spreadOf(points) - 1) < 0.02)
})
