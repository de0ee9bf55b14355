// A column of settings, drawn from fields like those of settings.js: one select for each.

const said = (field, value) => (Array.isArray(value) ? value.join(", ") || "none" : String(value))

/** @param {HTMLElement} parent @param {object} fields
 * @param {(name: string, value: unknown) => void} changed
 * @returns {(settings: object) => void} shows other settings */
export const panelOf = (parent, fields, changed) => {
  const selects = new Map()
  for (const [name, field] of Object.entries(fields)) {
    if (field.hidden) continue
    const label = parent.appendChild(document.createElement("label"))
    label.title = field.help
    label.append(field.label)
    const select = label.appendChild(document.createElement("select"))
    select.name = name
    for (const option of field.options) select.add(new Option(said(field, option), field.text(option)))
    select.onchange = () => changed(name, field.read(select.value))
    selects.set(name, select)
  }
  return (settings) => {
    for (const [name, select] of selects) {
      const field = fields[name], text = field.text(settings[name])
      // A link may hold a value that isn't on the list.
      if (![...select.options].some((option) => option.value === text)) {
        select.add(new Option(said(field, settings[name]), text))
      }
      select.value = text
    }
  }
}
