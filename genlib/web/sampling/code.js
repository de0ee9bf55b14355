// The page's training as a PyTorch script.
import { pytorchScript } from "../shared/learn/pytorch.js"
import { BINS, HIGH, LOW, tableOf } from "./densities.js"
import { FIXED } from "./study.js"

/** @param {object} settings of fields.js @param {object[]} log @returns {string} */
export const script = (settings, log) => {
  const { cdf } = tableOf(settings)
  return pytorchScript({ ...settings, ...FIXED }, log, {
    title: `A GAN on a line, on the density "${settings.density}".`,
    draw: `# The data's distribution function F at the edges of ${BINS} bins
EDGES = np.linspace(${LOW}, ${HIGH}, ${BINS + 1})
F = np.array([
    ${[...cdf].map((value) => Number(value.toPrecision(15))).join(", ")}
])


def real(random):
    u = random.uniforms(BATCH)
    i = np.clip(np.searchsorted(F, u, side="right") - 1, 0, len(F) - 2)  # the last edge with F <= u
    rise = F[i + 1] - F[i]
    share = np.where(rise > 0, (u - F[i]) / np.where(rise > 0, rise, 1), 0)
    return (EDGES[i] + (EDGES[1] - EDGES[0]) * np.minimum(share, 1))[:, None]

`,
  })
}
