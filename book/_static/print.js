// On paper everything is open and light; afterwards all is as it was.
{
  let closed = [], theme
  addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme
    document.documentElement.dataset.theme = "light"
    closed = [...document.querySelectorAll("article details:not([open])")]
    for (const details of closed) details.open = true
    for (const image of document.images) image.loading = "eager"
  })
  addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = theme
    for (const details of closed) details.open = false
  })
}
