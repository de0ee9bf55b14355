// A walk through codes, decoded on the way: between two of them, or endlessly through random ones.
import { component } from "../shared/hand.js"
import { Between } from "./between.js"
import { Endless } from "./endless.js"

const KINDS = { between: Between, endless: Endless }

export default component((parent, { kind }) => new KINDS[kind](parent))
