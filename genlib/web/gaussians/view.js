// Gaussians in one and two dimensions, in two classes, in a mixture, and as a VAE's q.
import { component } from "../shared/hand.js"
import { Lab } from "../shared/lab.js"
import { Diagonal } from "./diagonal.js"
import { Mixed } from "./mixed.js"
import { One } from "./one.js"
import { Two } from "./two.js"
import { TwoClasses } from "./two_classes.js"

const GROUPS = { adults: ["1,000 adults", () => true], women: ["The women of them", (p) => p[2] === 0], men: ["The men of them", (p) => p[2] === 1] }

export default component((parent, data) => new Lab(parent, {
  prefix: "gaussians",
  views: { one: new One(), two: new Two(), classes: new TwoClasses(), mixture: new Mixed(), diagonal: new Diagonal() },
  sources: Object.fromEntries(Object.entries(GROUPS).map(([name, [title, belongs]]) => [name, { title, points: data.adults.filter(belongs) }])),
  names: ["height, cm", "weight, kg"],
  classes: ["women", "men"],
  picture: "Points and Gaussians. Arrow keys move what is chosen; the controls next to it do the same.",
}))
