// Lessons: predict, observe, explain.
//
//   Try this -> ?lesson=key and the state before -> a question -> an answer
//            -> ?lesson=key&answer=n and the state that shows it -> the explanation
//
// Nothing is graded or stored: the address is all there is.
import { component, View } from "../shared/hand.js"
import { goTo, readLink } from "../shared/link.js"
import { isReplaying, onReplay } from "../shared/replay.js"

const WAIT = "The page trains until it shows the answer …"
const LIST = `<details><summary>Try this</summary><ol></ol></details>`
const PANEL = `<p class="question" tabindex="-1"></p><div class="answers"></div><p class="explanation" tabindex="-1" hidden></p>
  <div class="on"><button class="again">Ask again</button><button class="next">Next</button>
    <button class="close" aria-label="Close the lesson">✕</button></div>`

// Whoever chose with the keyboard goes on from what was asked for. What was chosen is gone by then, so the
// place waits here for whichever view draws it: Streamlit gives each view its own copy of this module.
const page = (globalThis[Symbol.for("genlib.lesson")] ??= { wanted: "", list: null })

const button = (text, act) => {
  const made = document.createElement("button")
  made.textContent = text
  made.onclick = act
  return made
}

// The state in which a lesson asks its question.
const ask = (lesson) => {
  page.wanted = `${lesson.key} question`
  goTo({ ...lesson.before, lesson: lesson.key })
}

// The state that answers it.
const reply = (lesson, n) => {
  page.wanted = `${lesson.key} explanation`
  goTo({ ...lesson.state, lesson: lesson.key, answer: String(n) })
}

class List extends View {
  constructor(parent) {
    super(parent, "lessons", LIST)
    this.away = (event) => { if (!event.composedPath().includes(this.root)) this.get("details").open = false }
    addEventListener("pointerdown", this.away)
    page.list = this.get("summary")
    this.root.onkeydown = (event) => { if (event.key === "Escape") this.close() }
  }
  close() {
    if (this.get("details").open) this.get("summary").focus()
    this.get("details").open = false
  }
  update({ data }) {
    const items = data.lessons.map((lesson) => {
      const item = document.createElement("li")
      item.append(button(lesson.title, () => { this.get("details").open = false; ask(lesson) }))
      return item
    })
    this.get("ol").replaceChildren(...items)
  }
  end() { removeEventListener("pointerdown", this.away); super.end() }
}

class Panel extends View {
  constructor(parent) {
    super(parent, "lesson", PANEL)
    this.unhear = onReplay(() => this.explain())
  }
  end() { this.unhear(); super.end() }
  explain() { this.get(".explanation").textContent = isReplaying() ? WAIT : this.lesson.explanation }
  update({ data: { lesson, answer, next } }) {
    this.root.classList.toggle("answered", answer !== null)
    this.get(".question").textContent = lesson.question
    const answers = lesson.answers.map((text, n) => {
      const made = button(text, () => reply(lesson, n))
      made.disabled = answer !== null
      made.classList.toggle("right", answer !== null && n === lesson.right)
      made.classList.toggle("chosen", n === answer)
      if (answer === n) made.setAttribute("aria-pressed", "true")
      return made
    })
    this.get(".answers").replaceChildren(...answers)
    this.get(".explanation").hidden = answer === null
    this.lesson = lesson
    this.explain()
    this.get(".again").hidden = answer === null
    this.get(".again").onclick = () => ask(lesson)
    this.get(".next").hidden = !next || answer === null
    this.get(".next").onclick = () => ask(next)
    this.get(".close").onclick = () => {
      const { lesson: _, answer: __, ...rest } = readLink("")
      goTo(rest)
      page.list?.focus()
    }
    this.open(lesson)
    this.focus(`${lesson.key} ${answer === null ? "question" : "explanation"}`)
  }
  focus(shown) {
    if (page.wanted !== shown) return
    page.wanted = ""
    this.get(`.${shown.split(" ")[1]}`).focus()
  }
  // A link that names only the lesson opens the state in which it is asked.
  open(lesson) {
    const now = readLink("")
    if (this.opened === lesson.key || "answer" in now) return
    this.opened = lesson.key
    if (Object.entries(lesson.before).some(([key, value]) => now[key] !== value) && Object.keys(now)
      .every((key) => ["lesson", "present", "embed", "embed_options"].includes(key))) {
      history.replaceState(history.state, "", `?${new URLSearchParams({ ...lesson.before, ...now })}`)
      dispatchEvent(new PopStateEvent("popstate", { state: history.state }))
    }
  }
}

export default component((parent, data) => (data.lessons ? new List(parent) : new Panel(parent)))
