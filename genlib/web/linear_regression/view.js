// Linear regression as a generative model: a line, an error around it, and what the two can do together.
import { component } from "../shared/hand.js"
import { Lab } from "../shared/lab.js"
import { Compare } from "./compare.js"
import { WithError } from "./error.js"
import { Generate } from "./generate.js"
import { Limit } from "./limit.js"
import { Line } from "./line.js"

export default component((parent, data) => new Lab(parent, {
  prefix: "linear_regression",
  views: { line: new Line(), error: new WithError(), generate: new Generate(), compare: new Compare(), limit: new Limit() },
  sources: {
    women: { title: "Women: weight by height", points: data.adults.filter((p) => p[2] === 0) },
    adults: { title: "1,000 adults: weight by height", points: data.adults },
    curve: { title: "A curve with noise", points: data.curve, names: ["z", "x"] },
  },
  names: ["height, cm", "weight, kg"],
  picture: "Points, a line and its errors. Arrow keys move what is chosen; the controls next to it do the same.",
}))
