// What tests of pages that train share: opening a link as the page does.
import { Session } from "../../genlib/web/shared/learn/session.js"
import { readLog, readSettings } from "../../genlib/web/shared/learn/settings.js"

/** A session that has done what the log says. @returns {Promise<object>} what it says then, with its weights;
 *   or what `then(session, message)` returns */
export const opened = (study, settings, log, then = () => {}) => new Promise((resolve) => {
  const session = new Session(study, (message) => {
    if (session.waiting.length) return setTimeout(() => session.hear({ ask: {} }), 5)
    const found = then(session, message)
    session.end()
    resolve(found ?? { ...message, weights: [session.gan.g.values, session.gan.d.values] })
  })
  session.hear({ start: { settings, log } })
  session.hear({ ask: {} })
})

/** The same, but states that are opened again are trained once, for one page.
 * @returns {{reached: (settings: object, log: object[]) => Promise<object>,
 *   atLink: (state: Object<string, string>) => Promise<object>}} */
export const remembering = (study, fields, prefix) => {
  const trained = new Map()
  const reached = (settings, log) => {
    const key = JSON.stringify([settings, log])
    if (!trained.has(key)) trained.set(key, opened(study, settings, log))
    return trained.get(key)
  }
  const atLink = (state) => {
    const link = Object.fromEntries(Object.entries(state).map(([key, value]) => [key.slice(prefix.length), value]))
    return reached(readSettings(fields, link), readLog(fields, link.log ?? ""))
  }
  return { reached, atLink }
}
