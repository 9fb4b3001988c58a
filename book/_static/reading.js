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
