// The parts of a panel of controls, made from descriptions. Each reads and sets the values of a lab.
import { fill, markPlaying } from "./hand.js"

/** Text that people wrote, for HTML. @param {string} text */
export const escaped = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** The name and the unit of an axis, for HTML: "height, cm" -> ["height", "cm"]. @param {string} axis */
export const nameAndUnit = (axis) => {
  const [name, ...unit] = axis.split(",")
  return [escaped(name.trim()), escaped(unit.join(",").trim())]
}

const make = (tag, name, html = "") => {
  const element = document.createElement(tag)
  element.className = name
  element.innerHTML = html
  return element
}

const slider = (lab, { key, label, range, show, help = "" }) => {
  const element = make("label", "setting", `<span></span><output></output><input type="range" class="slider">`)
  const [name, output, input] = element.children
  element.title = help
  input.dataset.key = key
  input.oninput = () => lab.set({ [key]: Number(input.value) })
  const sync = () => {
    const [min, max, step] = range(lab)
    Object.assign(input, { min, max, step })
    name.textContent = typeof label === "function" ? label(lab) : label
    input.setAttribute("aria-label", name.textContent)
    input.value = lab.state[key]
    output.textContent = show(lab.state[key], lab)
    fill(input)
  }
  return { element, sync }
}

const choice = (lab, { key, label, options }) => {
  const element = make("div", "choice")
  element.setAttribute("role", "group")
  element.setAttribute("aria-label", label)
  const buttons = Object.entries(options).map(([value, title]) => {
    const button = element.appendChild(make("button", ""))
    button.onclick = () => lab.set({ [key]: value })
    return { value, button, title: typeof title === "function" ? title : () => title }
  })
  const sync = () => {
    for (const { value, button, title } of buttons) {
      button.textContent = title(lab)
      button.setAttribute("aria-pressed", String(lab.state[key] === value))
    }
  }
  return { element, sync }
}

const toggle = (lab, { key, label, help = "" }) => {
  const element = make("label", "toggle", `<input type="checkbox"> <span>${label}</span>`)
  const input = element.querySelector("input")
  element.title = help
  input.dataset.key = key
  input.onchange = () => lab.set({ [key]: input.checked })
  return { element, sync: () => { input.checked = lab.state[key] } }
}

const buttons = (lab, { list }) => {
  const element = make("div", "buttons")
  const made = list.map(({ title, help = "", act, plays = false, main = false }) => {
    const button = element.appendChild(make("button", main ? "main" : ""))
    Object.assign(button, { textContent: title, title: help, onclick: () => act(lab) })
    return { button, title, plays }
  })
  const sync = () => {
    for (const { button, title, plays } of made) if (plays) markPlaying(button, lab.player.playing, title)
  }
  return { element, sync }
}

const numbers = (lab, { html }) => {
  const element = make("div", "numbers")
  let shown = ""
  const sync = () => {
    const next = html(lab)
    if (next !== shown) element.innerHTML = next
    shown = next
  }
  return { element, sync }
}

const text = (lab, { html }) => ({ element: make("p", "", html), sync: () => {} })

/** What a panel can hold, by the `kind` of its description:
 *   slider {key, label: text or (lab) => text, range: (lab) => [min, max, step], show: (value, lab) => text, help}
 *   choice {key, label, options: {value: title or (lab) => title}}, toggle {key, label, help}
 *   buttons {list: [{title, act: (lab) => void, plays, main, help}]}
 *   numbers {html: (lab) => HTML of our own making}, text {html}
 * each with `when: (lab) => boolean` where it is not always there. */
const KINDS = { slider, choice, toggle, buttons, numbers, text }

/** Build parts into a place on the page. @param {object} lab @param {Element} into
 * @param {object[]} parts descriptions @returns {() => void} brings all of them up to date */
export const buildPanel = (lab, into, parts) => {
  const built = parts.map((part) => ({ part, ...KINDS[part.kind](lab, part) }))
  into.replaceChildren(...built.map(({ element }) => element))
  return () => {
    for (const { part, element, sync } of built) {
      element.hidden = part.when ? !part.when(lab) : false
      if (!element.hidden) sync()
    }
  }
}
