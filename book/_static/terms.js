// What a word of the glossary means, beside the link: where the pointer or the
// focus is, and at the first tap of a finger; the second follows the link.
{
  const WAIT = 150 // milliseconds that a pointer rests, before and after
  const EDGE = 8 // pixels between the words and the edge of the screen
  let box, link, timer
  const make = () => {
    box = document.createElement("div")
    box.id = "pn-meaning"
    box.className = "pn-meaning"
    box.setAttribute("role", "tooltip")
    box.addEventListener("pointerenter", () => clearTimeout(timer))
    box.addEventListener("pointerleave", event => {
      if (event.pointerType !== "touch") later(hide)
    })
    box.addEventListener("click", () => { if (touched) hide() })
    document.body.append(box)
  }
  const later = what => {
    clearTimeout(timer)
    timer = setTimeout(what, WAIT)
  }
  const place = () => {
    const [line] = link.getClientRects()
    const { offsetWidth: wide, offsetHeight: high } = box
    const most = document.documentElement.clientWidth - wide - EDGE
    const below = line.bottom + high + EDGE < innerHeight || line.top < high
    box.style.left = `${Math.max(EDGE, Math.min(line.left, most)) + scrollX}px`
    box.style.top = `${(below ? line.bottom + 4 : line.top - high - 4)
      + scrollY}px`
  }
  const show = (to, touch) => {
    clearTimeout(timer)
    if (!box) make()
    hide()
    link = to
    box.textContent = link.dataset.told
    if (touch) {
      const more = document.createElement("small")
      more.textContent = "Tap again to open the glossary."
      box.append(more)
    }
    box.hidden = false
    link.setAttribute("aria-describedby", box.id)
    place()
  }
  const hide = () => {
    clearTimeout(timer)
    if (!box || !link) return
    box.hidden = true
    link.removeAttribute("aria-describedby")
    link = undefined
  }
  let touched // whether the pointer that came last is a finger
  const begin = to => {
    to.addEventListener("pointerenter", event => {
      if (event.pointerType !== "touch") later(() => show(to))
    })
    to.addEventListener("pointerleave", event => {
      if (event.pointerType !== "touch") later(hide)
    })
    to.addEventListener("focus", () => {
      if (!touched) show(to)
    })
    to.addEventListener("blur", hide)
    to.addEventListener("click", event => {
      if (!touched || link === to) return
      event.preventDefault()
      show(to, true)
    })
  }
  addEventListener("pointerdown", event => {
    touched = event.pointerType === "touch"
    if (link && !box.contains(event.target) && !link.contains(event.target))
      hide()
  }, true)
  addEventListener("keydown", event => {
    touched = false
    if (event.key === "Escape") hide()
  }, true)
  addEventListener("resize", hide)
  addEventListener("DOMContentLoaded", () =>
    document.querySelectorAll("a.pn-term").forEach(begin))
}
