// Before anything is drawn: fonts are asked for, the theme is set, code that
// the reader wants open is opened. It stands in the head of each page.
{
  const root = document.documentElement
  const kept = name => { try { return localStorage.getItem(name) } catch { return null } }
  const given = kept("mode"), dark = matchMedia("(prefers-color-scheme: dark)").matches
  const mode = ["light", "dark"].includes(given) ? given : "auto"
  root.dataset.mode = mode
  root.dataset.theme = mode === "auto" ? dark ? "dark" : "light" : mode
  // Fonts at once, not when the style asks, but after it; a disk refuses that.
  if (location.protocol !== "file:") for (const font of {}) {
    const link = document.createElement("link")
    Object.assign(link, { rel: "preload", href: font, as: "font", type: "font/woff2",
      crossOrigin: "", fetchPriority: "low" })
    document.head.append(link)
  }
}
// Read: bookkeeping is folded. Code: every line is open. The choice is kept.
{
  const KEY = "pn-reading", FOLDS = "details.hide.above-input"
  let mode = "read"
  try { mode = localStorage.getItem(KEY) === "code" ? "code" : "read" }
  catch { /* no storage: as at first */ }
  const open = folds => { for (const fold of folds) fold.open = true }
  // Opened while the page is read in, before anything is drawn.
  if (mode === "code") {
    const watcher = new MutationObserver(() =>
      open(document.querySelectorAll(`${FOLDS}:not([open])`)))
    watcher.observe(document, { childList: true, subtree: true })
    addEventListener("DOMContentLoaded", () => watcher.disconnect())
  }
  addEventListener("DOMContentLoaded", () => {
    for (const choice of document.getElementsByName(KEY)) {
      choice.checked = choice.value === mode
      choice.addEventListener("change", () => {
        const before = choice.getBoundingClientRect().top
        for (const fold of document.querySelectorAll(FOLDS))
          fold.open = choice.value === "code"
        scrollBy(0, choice.getBoundingClientRect().top - before)
        try { localStorage.setItem(KEY, choice.value) } catch { /* not kept */ }
      })
    }
  })
}
