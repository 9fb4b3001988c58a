// The hero of the front page: recorded errors, played as bars.
(() => {
  const hero = document.currentScript.closest(".pn-hero")
  const data = JSON.parse(hero.querySelector(".pn-data").textContent)
  const rows = [...hero.querySelectorAll(".pn-bar")]
  const keys = [...hero.querySelectorAll(".pn-keys button")]
  const toggle = hero.querySelector(".pn-switch")
  const told = hero.querySelector(".pn-told")
  const unwanted = matchMedia("(prefers-reduced-motion: reduce)")
  let stage = 0, packnet = false, running = 0
  let shown = errors()

  function errors(at = stage) {
    return data.methods[packnet ? "packnet" : "sequential"].errors[at]
  }
  // Best error that a task has had: what it can lose.
  function own(task) { return errors(task)[task] }
  function lost(task) {
    return task < stage && errors()[task] - own(task) > 1
  }
  function draw(values) {
    shown = values
    rows.forEach((row, task) => {
      row.style.setProperty("--error", values[task] / 100)
      row.querySelector(".pn-value").textContent = values[task].toFixed(1)
      row.dataset.state = task > stage ? "later"
        : task < stage && values[task] - own(task) > 1 ? "worse" : "known"
    })
  }
  // Where a bar is when a part of the training is over.
  function along(task, from, to, part) {
    const curve = task === 0 && stage === 1 && !packnet && data.curve
    if (!curve) {
      const eased = 1 - (1 - part) ** 3
      return from + (to - from) * eased
    }
    const step = part * curve.at(-1)[0]
    const next = curve.findIndex(point => point[0] >= step)
    if (part >= 1) return to
    if (next < 1) return from
    const [[a, low], [b, high]] = [curve[next - 1], curve[next]]
    return low + (high - low) * (step - a) / (b - a)
  }
  function play(from, wait) {
    cancelAnimationFrame(running)
    const to = errors()
    hero.dataset.moving = ""
    const done = () => { draw(to); delete hero.dataset.moving; say() }
    if (unwanted.matches) return done()
    if (stage) told.textContent = `${packnet ? "With PackNet" : "Plain training"}`
      + `: learning ${data.tasks[stage]} …`
    const began = performance.now()
    const frame = now => {
      const part = Math.min(1, Math.max(0, now - began) / wait)
      if (part >= 1) return done()
      draw(to.map((end, task) => along(task, from[task], end, part)))
      running = requestAnimationFrame(frame)
    }
    running = requestAnimationFrame(frame)
  }
  function mark() {
    keys.forEach(key => {
      const at = Number(key.dataset.stage)
      key.disabled = at > stage + 1
      key.classList.toggle("pn-next", at === stage + 1 && !forgot())
      if (at) key.querySelector("i").textContent = at <= stage ? "\u00a0✓" : ""
    })
    // What has been forgotten comes back at a switch: that is the next thing.
    toggle.classList.toggle("pn-next", forgot())
    toggle.setAttribute("aria-checked", packnet)
  }
  const percent = x => `${x.toFixed(1)}\u00a0%`
  function forgot() { return data.tasks.some((_, task) => lost(task)) }
  // What plain training had reached when it had just learnt a task.
  function plain(task) { return data.methods.sequential.errors[task][task] }
  // What packing has cost each task so far, in points, with its interval.
  function price() {
    const more = data.tasks.slice(0, stage + 1).map((name, at) =>
      `${name} ${data.prices[at]}`)
    return "The price, in points above a network of its own: "
      + `${more.join("; ")}.`
  }
  // Making room has cost the first task something before it was kept.
  function room() {
    return `${data.tasks[0]} ${percent(errors(0)[0])} since room was made `
      + `(${percent(plain(0))} before)`
  }
  function say() {
    const now = errors(), name = data.tasks
    if (stage === 0) {
      told.textContent = `The network has learnt ${name[0]}: `
        + `${percent(now[0])} of the test pictures are answered wrongly`
        + (packnet ? ` (${percent(plain(0))} before weights were freed for `
          + "later tasks)" : "")
        + `. Now let it learn ${name[1]}` + (packnet ? ", with PackNet." : ".")
      return
    }
    const old = name.slice(0, stage).map((task, at) => lost(at)
      ? `${task} ${percent(now[at])}, was ${percent(own(at))}`
      : packnet && at === 0 ? room() : `${task} ${percent(now[at])}`)
    told.textContent = `${packnet ? "With PackNet" : "Plain training"}: `
      + `${name[stage]} learnt, error ${percent(now[stage])}. `
      + (forgot() ? "Forgotten: " : "Kept: ") + `${old.join("; ")}. `
      + (packnet ? price() : forgot() ? "Now switch PackNet on." : "")
  }
  for (const key of keys) key.addEventListener("click", () => {
    const at = Number(key.dataset.stage)
    const again = at > 0 && at <= stage
    stage = at
    const from = again || !at ? errors(Math.max(0, at - 1)) : shown
    mark()
    play(from, at ? data.seconds * 1000 : 500)
  })
  toggle.addEventListener("click", () => {
    packnet = !packnet
    mark()
    play(shown, 900)
  })
  mark()
  draw(errors())
})()
