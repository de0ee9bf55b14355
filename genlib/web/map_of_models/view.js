// Shows the server's HTML. A plain click on a link goes to Python, which opens the page in this
// session; with a modifier or the middle button the browser opens a tab, as for any link.
const shown = new WeakMap()

export default ({ parentElement, data, setTriggerValue }) => {
  const root = parentElement.querySelector(".taxonomy")
  if (shown.get(root) !== data.html) {
    shown.set(root, data.html)
    const links = () => [...root.querySelectorAll("a")]
    const focused = links().indexOf(root.getRootNode().activeElement)
    root.innerHTML = data.html // again with each new picture, for which nobody may lose the focus
    links()[focused]?.focus({ preventScroll: true })
  }
  root.onclick = (event) => {
    const link = event.target.closest("a[data-page]")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    setTriggerValue("open", link.dataset.page)
  }
}
