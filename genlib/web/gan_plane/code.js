// The page's training as a PyTorch script.
import { pytorchScript } from "../shared/learn/pytorch.js"
import { FIXED } from "./study.js"
import { DRAWN, targetOf } from "./targets.js"

// name -> the places on the shape, for arrays u and v of uniform numbers: targets.js in Python
const PLACES = {
  "ring of 8": `    angle = 2 * np.pi * np.floor(8 * u) / 8
    return np.cos(angle), np.sin(angle)`,
  "grid of 25": `    k = np.floor(25 * u)
    return 0.5 * (k % 5 - 2), 0.5 * (k // 5 - 2)`,
  "two moons": `    angle, sign = np.pi * v, np.where(u < 0.5, 1, -1)
    return sign * (0.75 * np.cos(angle) - 0.375), sign * (0.75 * np.sin(angle) - 0.2)`,
  spiral: `    way = np.sqrt(u)
    angle = 3.5 * np.pi * way
    return 1.1 * way * np.cos(angle), 1.1 * way * np.sin(angle)`,
  line: `    return 2 * u - 1, 1.2 * u - 0.6`,
  "one Gaussian": `    return 0.5 + 0 * u, 0.4 + 0 * u`,
}
const listed = (points) => `    points = np.array(${JSON.stringify(points.length ? points : [[0, 0]])})
    return tuple(points[np.floor(len(points) * u).astype(int)].T)`

/** @param {object} settings of fields.js @param {object[]} log @returns {string} */
export const script = (settings, log) => pytorchScript({ ...settings, ...FIXED }, log, {
  title: `A GAN in the plane, on ${settings.data}.`,
  draw: `def place(u, v):
${settings.data === DRAWN ? listed(settings.points) : PLACES[settings.data]}


def real(random):
    u, v, r, a = random.uniforms(BATCH, 4).T
    x, y = place(u, v)
    radius, angle = ${targetOf(settings).std} * np.sqrt(-2 * np.log(r)), 2 * np.pi * a
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], 1)

`,
})
