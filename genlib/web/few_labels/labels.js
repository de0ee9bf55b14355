/** The labels that have been given, in order, and what was there before each change. */
export class LabelList {
  /** @param {number[][]} [pairs] [row, class] */
  constructor(pairs = []) { this.pairs = pairs; this.past = [] }

  /** The class that a row has been given, or -1. @param {number} row */
  of(row) { return this.pairs.find(([r]) => r === row)?.[1] ?? -1 }

  /** Give a row a class, its last; -1 takes its label away.
   * @param {number} row @param {number} label */
  set(row, label) {
    if (this.of(row) === label) return false
    const others = this.pairs.filter(([r]) => r !== row)
    this.change(label < 0 ? others : [...others, [row, label]])
    return true
  }

  /** Another list; `undo` leads back. @param {number[][]} pairs */
  change(pairs) {
    this.past.push(this.pairs)
    this.pairs = pairs
  }

  /** Back to what was before the last change; without one, the last label goes.
   * @returns {boolean} whether anything changed */
  undo() {
    if (!this.past.length && !this.pairs.length) return false
    this.pairs = this.past.pop() ?? this.pairs.slice(0, -1)
    return true
  }

  /** How many labels each class has. @param {number} classes */
  counts(classes) {
    const found = Array(classes).fill(0)
    for (const [, label] of this.pairs) found[label]++
    return found
  }
}

/** The labels as a link holds them: "1043.7-12.0", test image 1043 is a 7, 12 is a 0.
 * @param {number[][]} pairs [row, class] @param {Int32Array} numbers of the test image in each row */
export const textOf = (pairs, numbers) => pairs.map(([row, label]) => `${numbers[row]}.${label}`).join("-")

/** The labels in a link; what names no picture here or no class is dropped.
 * @param {string} text @param {Int32Array} numbers @param {number} classes @returns {number[][]} */
export const listOf = (text, numbers, classes) => {
  const found = new Map()
  for (const word of text.split("-")) {
    const [, number, label] = word.match(/^(\d{1,8})\.(\d{1,3})$/) ?? [], row = numbers.indexOf(Number(number))
    if (row < 0 || !(Number(label) < classes)) continue
    found.delete(row)
    found.set(row, Number(label))
  }
  return [...found]
}
