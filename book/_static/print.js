// On paper everything is open, light and whole; afterwards all is as it was.
{
  // A frame is as wide inside as on a screen, and made smaller: what is in it
  // is laid out before the print, since no script runs while it is printed.
  const WIDE = 971, SCALE = 0.7
  let printing = false, closed = [], frames = [], theme
  const fit = frame => {
    const style = frame.style
    style.maxWidth = "none"
    style.width = `${WIDE}px`
    const high = frame.contentDocument.body.scrollHeight + 2
    style.height = `${high}px`
    style.transform = `scale(${SCALE})`
    style.transformOrigin = "0 0"
    style.margin = `0 ${(SCALE - 1) * WIDE}px ${(SCALE - 1) * high}px 0`
  }
  addEventListener("beforeprint", () => {
    if (!printing) {
      printing = true
      theme = document.documentElement.dataset.theme
      frames = [...document.querySelectorAll("article iframe[srcdoc]")]
        .map(frame => [frame, frame.style.cssText])
    }
    document.documentElement.dataset.theme = "light"
    for (const [frame] of frames) fit(frame)
    const more = [...document.querySelectorAll("article details:not([open])")]
    closed = [...closed, ...more]
    for (const details of more) details.open = true
    for (const image of document.images) image.loading = "eager"
  })
  addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = theme
    for (const details of closed) details.open = false
    for (const [frame, style] of frames) frame.style.cssText = style
    closed = []
    printing = false
  })
}
