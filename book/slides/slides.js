"use strict"
const dark = matchMedia("(prefers-color-scheme: dark)")
const follow = () => {
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light"
}
dark.addEventListener("change", follow)
follow()
const sections = [...document.querySelectorAll("section")]
const button = id => document.getElementById(id)

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
  history.replaceState(null, "", `#${sections[place].id}`)
}

function toggle() {
  const place = current()
  const on = document.body.classList.toggle("with-notes")
  button("notes").setAttribute("aria-pressed", on)
  sections[place].scrollIntoView()
}

const keys = {
  ArrowRight: () => go(current() + 1), ArrowLeft: () => go(current() - 1),
  PageDown: () => go(current() + 1), PageUp: () => go(current() - 1),
  Home: () => go(0), End: () => go(sections.length - 1), n: toggle,
}
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (!(event.key in keys)) return
  event.preventDefault()
  keys[event.key]()
})
addEventListener("scrollend", tell)
button("back").onclick = keys.ArrowLeft
button("on").onclick = keys.ArrowRight
button("notes").onclick = toggle
