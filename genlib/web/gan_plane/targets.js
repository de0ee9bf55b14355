// What the GAN is to imitate: distributions of points in the plane, all within [-1.4, 1.4].
//
// A point takes four uniform numbers: two choose a place on the shape, two become normal noise around
// it. So the same numbers give the same points in any language; code.js says the same in Python.
const RADIUS = 1, RING_STD = 0.05, GRID_STD = 0.05, NOISE = 0.05

const ringAt = (k) => [RADIUS * Math.cos((2 * Math.PI * k) / 8), RADIUS * Math.sin((2 * Math.PI * k) / 8)]
const gridAt = (k) => [0.5 * ((k % 5) - 2), 0.5 * (Math.floor(k / 5) - 2)]
const modes = (count, at) => Array.from({ length: count }, (_, k) => at(k))

/** name -> place(u, v) on the shape, `std` of the noise around it, and `modes` where it has some:
 * centres of Gaussians of equal weight. */
export const TARGETS = {
  "ring of 8": { place: (u) => ringAt(Math.floor(8 * u)), std: RING_STD, modes: modes(8, ringAt) },
  "grid of 25": { place: (u) => gridAt(Math.floor(25 * u)), std: GRID_STD, modes: modes(25, gridAt) },
  "two moons": {
    place: (u, v) => {
      const angle = Math.PI * v
      return u < 0.5
        ? [0.75 * Math.cos(angle) - 0.375, 0.75 * Math.sin(angle) - 0.2]
        : [0.375 - 0.75 * Math.cos(angle), 0.2 - 0.75 * Math.sin(angle)]
    },
    std: NOISE,
  },
  spiral: {
    place: (u) => {
      const way = Math.sqrt(u), angle = 3.5 * Math.PI * way
      return [1.1 * way * Math.cos(angle), 1.1 * way * Math.sin(angle)]
    },
    std: 0.04,
  },
  line: { place: (u) => [2 * u - 1, 1.2 * u - 0.6], std: 0.04 },
  "one Gaussian": { place: () => [0.5, 0.4], std: 0.15, modes: [[0.5, 0.4]] },
}
export const DRAWN = "your points"
const DRAWN_STD = 0.02

/** The target of these settings. @param {{data: string, points: number[][]}} settings */
export const targetOf = ({ data, points }) => {
  if (data !== DRAWN) return TARGETS[data]
  const at = points.length ? points : [[0, 0]] // nothing is drawn yet
  return { place: (u) => at[Math.floor(at.length * u)], std: DRAWN_STD }
}

/** A function that fills a batch (count, 2) with points of a target.
 * @param {{place: (u: number, v: number) => number[], std: number}} target
 * @returns {(random: import("../shared/learn/random.js").Random, out: Float32Array, count: number) => void} */
export const drawFrom = ({ place, std }) => (random, out, count) => {
  for (let i = 0; i < count; i++) {
    const u = random.uniform(), v = random.uniform()
    const radius = std * Math.sqrt(-2 * Math.log(random.uniform())), angle = 2 * Math.PI * random.uniform()
    const [x, y] = place(u, v)
    out[2 * i] = x + radius * Math.cos(angle)
    out[2 * i + 1] = y + radius * Math.sin(angle)
  }
}
