// Trains away from the page, which goes on drawing.
import { Session } from "../shared/learn/session.js"
import { study } from "./study.js"

const session = new Session(study, (message) => postMessage(message))
onmessage = ({ data }) => session.hear(data)
