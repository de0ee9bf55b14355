// Settings worth seeing, each with the reason for what happens. tests/web/gan_plane.test.mjs computes it.

/** @typedef {{title: string, reason: string, settings: object, log?: string}} Preset
 * settings: what differs from the page as it opens; log: what has been done before it opens. */

/** @type {Preset[]} */
export const PRESETS = [
  {
    title: "Succeeds",
    reason: "D and G learn equally fast, and Adam forgets old gradients quickly (β₁ = 0.5). After 2,000 steps all "
      + "eight modes are covered, and D's loss stays near log 4 = 1.39: it can hardly tell.",
    settings: {},
  },
  {
    title: "Collapses",
    reason: "G's learning rate is ten times D's. G puts all samples where D believes most; by the time D has "
      + "learned better, G has moved on as a whole. So it hops from mode to mode and never holds three at once.",
    settings: { lrG: 0.01, seed: 2 },
  },
  {
    title: "Recovers",
    reason: "The same collapse for 1,500 steps; then G's learning rate is lowered to D's. Now D devalues a crowded "
      + "spot before all of G is there, so samples spread. After 1,000 more steps at least six modes are covered.",
    settings: { lrG: 0.01, seed: 2 },
    log: "1500b~lrG=0.001",
  },
  {
    title: "Oscillates",
    reason: "With β₁ = 0.9 Adam averages about ten gradients. They say where D was wrong ten steps ago, so both "
      + "overshoot and chase each other for 2,000 steps. With β₁ = 0.5 all modes are covered by then.",
    settings: { beta1: 0.9, seed: 2 },
  },
  {
    title: "Circles",
    reason: "No hidden layers: D is a slope, G moves and stretches its noise. D tilts away from G's samples, G goes up "
      + "the slope and overshoots. Its centre goes round the target three times in 800 steps, ever closer.",
    settings: {
      data: "one Gaussian", gWidths: [], dWidths: [], optimizer: "sgd", lrG: 0.05, lrD: 0.05, seed: 2,
    },
  },
]
