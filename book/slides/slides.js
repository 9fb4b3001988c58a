"use strict"
const root = document.documentElement
const sections = [...document.querySelectorAll("section")]
const button = id => document.getElementById(id)
const dark = matchMedia("(prefers-color-scheme: dark)")

function ground(theme) {
  root.dataset.theme = theme
  button("theme").setAttribute("aria-pressed", theme === "dark")
}

function current() {
  const middle = innerHeight / 2
  const found = sections.findIndex(
    s => s.getBoundingClientRect().bottom > middle)
  return found < 0 ? sections.length - 1 : found
}

function go(number) {
  const place = Math.max(0, Math.min(sections.length - 1, number))
  sections[place].scrollIntoView()
  sections[place].focus({ preventScroll: true })
  tell()
}

function tell() {
  const place = current()
  button("place").textContent = `${place + 1} / ${sections.length}`
  button("bar").style.width = `${100 * (place + 1) / sections.length}%`
  history.replaceState(null, "", `#${sections[place].id}`)
}

function toggle() {
  const place = current()
  const on = document.body.classList.toggle("with-notes")
  button("notes").setAttribute("aria-pressed", on)
  sections[place].scrollIntoView()
}

const turn = () => ground(root.dataset.theme === "dark" ? "light" : "dark")
const keys = {
  ArrowRight: () => go(current() + 1), ArrowLeft: () => go(current() - 1),
  PageDown: () => go(current() + 1), PageUp: () => go(current() - 1),
  Home: () => go(0), End: () => go(sections.length - 1), n: toggle, d: turn,
  b: () => button("book").click(),
}
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (!(event.key in keys)) return
  event.preventDefault()
  keys[event.key]()
})
addEventListener("scrollend", tell)
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details")) fold.open = true
})
button("back").onclick = keys.ArrowLeft
button("on").onclick = keys.ArrowRight
button("notes").onclick = toggle
button("theme").onclick = turn
dark.addEventListener("change", () => ground(dark.matches ? "dark" : "light"))
ground(dark.matches ? "dark" : "light")
if (!location.hash) tell()
