// Predictions that are entered, and self-tests as quizzes. What a reader
// answers is kept in the browser, shown again, and saved as a file on demand.
{
  const KEY = "pn-answers"
  let memory = null  // instead of a storage, where there is none
  const all = () => {
    try { return memory ?? JSON.parse(localStorage.getItem(KEY) ?? "{}") }
    catch { return {} }
  }
  const keep = answers => {
    try { localStorage.setItem(KEY, JSON.stringify(answers)) }
    catch { memory = answers }
  }
  const unit = form => form.dataset.unit ? `\u00a0${form.dataset.unit}` : ""
  const at = (list, name) => [...list.children].find(item => item.dataset.name === name)
  const prediction = form => "prediction" in form.dataset

  // What each kind of form gives, and how it shows what was given.
  const KINDS = {
    choice: {
      given: form => form.querySelector("input:checked")?.value,
      show(form, given) {
        const { right } = form.dataset
        for (const label of form.querySelectorAll("label")) {
          const { value } = label.firstElementChild
          label.firstElementChild.checked = value === given
          label.classList.toggle("pn-right", value === right &&
            (prediction(form) || value === given) && given !== undefined)
          label.classList.toggle("pn-wrong", value === given && value !== right)
        }
        for (const reason of form.querySelectorAll("[data-of]"))
          reason.hidden = reason.dataset.of !== given
        if (!prediction(form)) return given === right ? "Right." : "Not quite."
        return given === right ? "As you said." : `You said: ${given}. It is: ${right}.`
      },
    },
    number: {
      given: form => form.querySelector("input").value,
      show(form, given) {
        const input = form.querySelector("input"), scale = form.querySelector(".pn-scale")
        input.value = given ?? input.defaultValue
        form.querySelector("output").textContent = input.value + unit(form)
        const { min, max } = input, { right } = form.dataset
        const [mine, truth] = scale.children
        const put = (mark, value) => mark.style.left = `${100 * (value - min) / (max - min)}%`
        put(mine, input.value)
        put(truth, right)
        scale.hidden = given === undefined
        return `You said ${input.value}${unit(form)}; it is ${right}${unit(form)}.`
      },
    },
    order: {
      given: form => [...form.querySelectorAll("fieldset li")]
        .map(item => item.dataset.name).join(", "),
      show(form, given) {
        const list = form.querySelector("fieldset ol"), truth = form.querySelector(".pn-truth")
        form.first ??= KINDS.order.given(form)
        const names = (given ?? form.first).split(", ")
        for (const name of names) list.append(at(list, name))
        list.hidden = given !== undefined
        truth.hidden = !list.hidden
        let fit = 0
        for (const item of truth.children) {
          const yours = names.indexOf(item.dataset.name)
          // equal values may stand in either order
          const right = item.dataset.value === truth.children[yours].dataset.value
          item.classList.toggle("pn-right", right)
          item.lastElementChild.textContent = `yours: ${yours + 1}.`
          fit += right
        }
        form.right = fit === names.length
        return `${fit} of ${names.length} in the right place.`
      },
    },
  }

  const show = (form, answer) => {
    const given = answer?.tries.at(-1), open = given === undefined || !prediction(form)
    const told = KINDS[form.dataset.kind].show(form, given)
    form.querySelector(".pn-told").textContent = answer ? told : ""
    form.classList.toggle("pn-done", Boolean(answer))
    for (const part of form.querySelectorAll("fieldset, input[type=range]"))
      part.disabled = !open
    form.querySelector(".pn-go").hidden = !open
    const said = form.querySelector(".pn-quiet")
    if (said) said.hidden = !answer
  }

  const enter = (form, chapter) => {
    const { kind, id, asked } = form.dataset, given = KINDS[kind].given(form)
    const told = form.querySelector(".pn-told")
    if (!given) return told.textContent = "Choose an answer first."
    const answers = all()
    let right = form.dataset.right ?? [...form.querySelectorAll(".pn-truth li")]
      .map(item => item.dataset.name).join(", ")
    const answer = answers[id] ?? { chapter, asked, right, tries: [],
      kind: prediction(form) ? "prediction" : "question" }
    // After the right answer the others may be looked at; they do not count.
    if (answer.tries.at(-1) !== right && answer.tries.at(-1) !== given) {
      answer.tries.push(given)
      answer.at = new Date().toISOString()
      show(form, answer)
      if (kind !== "number")
        answer.fits ??= kind === "order" ? form.right : given === right
      answers[id] = answer
      keep(answers)
    } else show(form, { ...answer, tries: [given] })
    count()
    if (prediction(form)) {  // its button is gone
      told.tabIndex = -1
      told.focus({ preventScroll: true })
    }
  }

  const move = (form, button) => {
    const item = button.parentElement, list = item.parentElement
    const other = button.dataset.way < 0 ? item.previousElementSibling : item.nextElementSibling
    if (other) {
      if (button.dataset.way < 0) other.before(item)
      else other.after(item)
      button.focus()
    }
    const place = [...list.children].indexOf(item) + 1
    form.querySelector(".pn-told").textContent =
      `${item.dataset.name}: place ${place} of ${list.children.length}`
  }

  let forms = []
  const count = () => {
    const answers = all(), of = wanted => {
      const asked = forms.filter(form => prediction(form) === wanted)
      const done = asked.filter(form => answers[form.dataset.id]).length
      const word = wanted ? "prediction" : "question"
      return asked.length ? `${done} of ${asked.length} ${word}s` : ""
    }
    const told = [of(true), of(false)].filter(Boolean).join(" and ")
    for (const line of document.querySelectorAll(".pn-count")) {
      line.first ??= line.textContent
      const some = forms.some(form => answers[form.dataset.id])
      line.textContent = some ? `Answered here: ${told}.` : line.first
    }
    for (const card of document.querySelectorAll("[data-chapter]")) {
      const done = Object.keys(answers)
        .filter(id => id.startsWith(`${card.dataset.chapter}/`)).length
      card.hidden = !done
      card.textContent = `${done} of ${card.dataset.of} answered`
    }
  }
  const refresh = () => {
    const answers = all()
    for (const form of forms) show(form, answers[form.dataset.id])
    count()
  }

  // A spreadsheet must not take a text for a formula.
  const cell = value => {
    let text = String(value ?? "")
    if (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`
    return `"${text.replaceAll('"', '""')}"`
  }
  const table = (answers, name) => {
    const rows = Object.entries(answers).map(([id, a]) => [name, a.chapter, a.kind, id,
      a.asked, a.tries[0], a.tries.at(-1), a.tries.length, a.right,
      a.fits === undefined ? "" : a.fits ? "yes" : "no", a.at])
    rows.sort((a, b) => a[1].localeCompare(b[1], "en", { numeric: true }))
    rows.unshift(["name", "chapter", "kind", "id", "question", "first answer",
      "last answer", "tries", "right answer", "first answer right", "time"])
    return rows.map(row => row.map(cell).join(",")).join("\r\n") + "\r\n"
  }
  const save = panel => {
    const answers = all(), number = Object.keys(answers).length
    const told = panel.querySelector("[role=status]")
    if (!number) return told.textContent = "There is nothing to save yet."
    const name = panel.querySelector("input").value.trim()
    const link = document.createElement("a")
    // the mark at the beginning tells spreadsheets that this is UTF-8
    link.href = URL.createObjectURL(
      new Blob(["\ufeff", table(answers, name)], { type: "text/csv" }))
    const tail = name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-")
    link.download = `packnet-answers${tail && "-"}${tail}.csv`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60000)
    told.textContent = `Saved ${number} answers as ${link.download}.`
  }
  const clear = panel => {
    const number = Object.keys(all()).length
    const told = panel.querySelector("[role=status]")
    if (number && !confirm(`Clear all ${number} answers, of every chapter?`)) return
    keep({})
    refresh()
    told.textContent = "All answers are cleared."
  }

  addEventListener("DOMContentLoaded", () => {
    const heading = document.querySelector("article h1")
    const chapter = [...heading?.childNodes ?? []].map(part =>
      part.className === "headerlink" ? "" : part.textContent).join("")
    forms = [...document.querySelectorAll("form.pn-ask")]
    for (const form of forms) {
      form.addEventListener("submit", event => {
        event.preventDefault()
        enter(form, chapter)
      })
      form.addEventListener("click", event => {
        const button = event.target.closest("[data-way]")
        if (button) move(form, button)
      })
      form.addEventListener("input", () => {
        const output = form.querySelector("output")
        if (output) output.textContent = form.querySelector("input").value + unit(form)
      })
    }
    for (const panel of document.querySelectorAll(".pn-answers")) {
      panel.addEventListener("submit", event => {
        event.preventDefault()
        save(panel)
      })
      panel.querySelector(".pn-clear").addEventListener("click", () => clear(panel))
    }
    refresh()
    addEventListener("pageshow", event => { if (event.persisted) refresh() })
    addEventListener("storage", event => {
      if (event.key === KEY || event.key === null) refresh()
    })
  })
}
