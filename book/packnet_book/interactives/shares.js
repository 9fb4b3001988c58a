const {tasks, fractions: start, runs} = JSON.parse(element("data").textContent);
const chosen = {order: tasks.map((_, i) => i), fractions: [...start]};
const rows = []; // by task: the elements of its row
const SPACE = "\u00a0"; // that is not broken
const percent = share => `${Number((100 * share).toFixed(1))}${SPACE}%`;

// What is left when a task begins, what it keeps, what it has freed.
function places() {
  let left = 1;
  return chosen.order.map((_, place) => {
    const fraction = chosen.fractions[place] ?? 0;
    const found = {left, keeps: left * (1 - fraction), frees: left * fraction};
    left *= fraction;
    return found;
  });
}

const same = (a, b) => a.length === b.length
  && a.every((value, i) => value === b[i]);
const runOf = () => runs.find(run => same(run.fractions, chosen.fractions)
  && same(run.order, chosen.order.map(task => tasks[task])));

function bits(shares) {
  return shares.filter(share => share > 0)
    .reduce((sum, share) => sum - share * Math.log2(share), 0);
}

function showRow(task, place, found, run) {
  const row = rows[task], at = found[place];
  const last = place === tasks.length - 1;
  const parts = found.slice(0, place + 1).map(({keeps}, i) => make("span", {
    className: i < place ? "others" : "own", style: {flex: `${keeps} 0 0`,
      background: background(1 + chosen.order[i])}}));
  const free = make("span", {className: "free",
    style: {flex: `${at.frees} 0 0`}});
  const grip = make("span", {className: "grip",
    style: {left: `${100 * (1 - at.frees)}%`}});
  row.bar.replaceChildren(...parts, ...(last ? [] : [free, grip]));
  row.item.classList.toggle("last", last);
  row.slide.hidden = last;
  const fraction = chosen.fractions[place] ?? 0;
  row.range.value = Math.round(100 * fraction);
  row.range.disabled = last;
  row.label.textContent = `frees ${percent(fraction)} of it`;
  row.range.setAttribute("aria-label",
    `${tasks[task]}: to free, in percent of what it was trained with`);
  row.earlier.disabled = place === 0;
  row.later.disabled = last;
  row.name.textContent = `${place + 1} ${tasks[task]}`;
  const error = run ? run.errors[place] : null;
  row.words.replaceChildren(
    `trained with ${percent(at.left)}, keeps `,
    make("strong", {textContent: percent(at.keeps)}),
    `, sees ${percent(1 - at.frees)}` + (error
      ? `; top-1 error ${error[0].toFixed(1)}${SPACE}±${SPACE}` +
        `${error[1].toFixed(1)}${SPACE}%`
      : runs.length ? "; not run" : ""));
  Object.assign(row.item.dataset, {place, keeps: at.keeps,
    error: error ? error[0] : ""});
}

function show() {
  const found = places(), run = runOf();
  chosen.order.forEach((task, place) => showRow(task, place, found, run));
  const owned = chosen.order.map((task, place) =>
    `${tasks[task]} ${percent(found[place].keeps)}`);
  const recorded = !runs.length ? "" : run
    ? ` This choice was run with ${run.seeds} seeds; ± is the 95 % interval ` +
      "of the mean."
    : " This choice was not run: its shares are arithmetic, its errors are " +
      "not known.";
  element("told").textContent = `In the end: ${owned.join(", ")}. To say who ` +
    `owns a weight takes at least ` +
    `${bits(found.map(({keeps}) => keeps)).toFixed(2)} bits.${recorded}`;
  element("recorded").value = run ? runs.indexOf(run) : "";
}

function setFraction(place, fraction) {
  if (place >= chosen.fractions.length) return;
  const whole = Math.round(100 * fraction);
  chosen.fractions[place] = Math.min(99, Math.max(0, whole)) / 100;
  show();
}

function move(task, to) {
  const from = chosen.order.indexOf(task);
  const place = Math.max(0, Math.min(tasks.length - 1, to));
  if (place === from) return;
  const focused = document.activeElement;
  chosen.order.splice(from, 1);
  chosen.order.splice(place, 0, task);
  // Only the others move: what is dragged, or has the focus, keeps it.
  const {item} = rows[task];
  item.before(...chosen.order.slice(0, place).map(i => rows[i].item));
  item.after(...chosen.order.slice(place + 1).map(i => rows[i].item));
  show();
  const {earlier, later} = rows[task];
  if (focused === earlier || focused === later)
    (focused.disabled ? (focused === later ? earlier : later) : focused)
      .focus();
}

const placeOf = task => chosen.order.indexOf(task);

function dragEdge(task, event) {
  const row = rows[task], box = row.bar.getBoundingClientRect();
  const at = (event.clientX - box.left) / box.width;
  const {left} = places()[placeOf(task)];
  setFraction(placeOf(task), (1 - at) / left);
}

// A row is dragged: it changes places with the one under the pointer.
function dragRow(task, event) {
  const heights = chosen.order.map(i =>
    rows[i].item.getBoundingClientRect());
  const over = heights.findIndex(({top, bottom}) =>
    event.clientY >= top && event.clientY < bottom);
  const from = placeOf(task);
  if (over < 0 || over === from) return;
  const {top, height} = heights[over]; // past its middle, or they flicker
  const middle = event.clientY - (top + height / 2);
  if (over > from ? middle > 0 : middle < 0) move(task, over);
}

function onDrag(part, begin, during) {
  part.addEventListener("pointerdown", event => {
    part.setPointerCapture(event.pointerId);
    begin(event);
  });
  part.addEventListener("pointermove", event => {
    if (part.hasPointerCapture(event.pointerId)) during(event);
  });
}

function build(name, task) {
  const button = (word, arrow, by) => {
    const made = make("button", {type: "button", textContent: arrow,
      ariaLabel: `${name}: ${word}`});
    made.addEventListener("click", () => move(task, placeOf(task) + by));
    return made;
  };
  const row = {
    name: make("span"), bar: make("div", {className: "bar",
      ariaHidden: "true"}),
    range: make("input", {type: "range", min: 0, max: 99, step: 1}),
    label: make("label"), words: make("p", {className: "words"}),
    earlier: button("earlier", "↑", -1), later: button("later", "↓", 1),
  };
  row.range.id = `free-${task}`;
  row.label.htmlFor = row.range.id;
  row.task = make("div", {className: "task"},
    make("span", {className: "swatch",
      style: {background: background(1 + task)}}), row.name);
  row.slide = make("div", {className: "slide"}, row.label, row.range);
  row.item = make("li", {dataset: {task: name}}, row.task, row.bar,
    make("div", {className: "move"}, row.earlier, row.later), row.slide,
    row.words);
  row.range.addEventListener("input", () =>
    setFraction(placeOf(task), Number(row.range.value) / 100));
  onDrag(row.bar, event => dragEdge(task, event),
    event => dragEdge(task, event));
  onDrag(row.task, () => row.item.classList.add("moving"),
    event => dragRow(task, event));
  for (const end of ["pointerup", "pointercancel"])
    row.task.addEventListener(end, () =>
      row.item.classList.remove("moving"));
  rows.push(row);
  return row.item;
}

element("places").append(...tasks.map(build));
element("choice").hidden = !runs.length;
element("recorded").append(
  make("option", {value: "", textContent: "none of them"}),
  ...runs.map((run, i) => make("option", {value: i, textContent:
    `${run.order.join(", ")}; ${run.fractions.join(", ")}`})));
element("recorded").addEventListener("change", event => {
  const run = runs[event.target.value];
  if (!run) return show();
  chosen.order = run.order.map(name => tasks.indexOf(name));
  chosen.fractions = [...run.fractions];
  element("places").append(...chosen.order.map(i => rows[i].item));
  show();
});
show();
document.body.dataset.ready = Math.round(performance.now()); // ms
