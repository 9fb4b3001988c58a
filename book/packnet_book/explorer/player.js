const {tasks, frames} = JSON.parse(element("data").textContent);
const PAUSE = 2500; // milliseconds a stage
let place = 0, timer = null;

const name = owner => owner === 0 ? "free, held at 0"
  : `task ${owner}, ${tasks[owner - 1]}`;

// Which weights differ, in value or owner, from the stage before.
function changed(row, column) {
  if (place === 0) return false;
  const now = frames[place], before = frames[place - 1];
  return now.weight[row][column] !== before.weight[row][column] ||
    now.owner[row][column] !== before.owner[row][column];
}

function show() {
  const frame = frames[place];
  const counts = Array(tasks.length + 1).fill(0);
  let moved = 0;
  const table = make("table", {className: "weights"},
    make("caption", {textContent: "Each square: a weight, and the number " +
      "of its owner. A thick frame: it differs from the stage before."}));
  frame.weight.forEach((values, row) => {
    const line = table.insertRow();
    values.forEach((value, column) => {
      const owner = frame.owner[row][column];
      const cell = line.insertCell();
      const number = make("span", {textContent: short(value)});
      if (owner) number.style.background = "rgb(255 255 255 / 0.75)";
      cell.append(number);
      if (owner) cell.append(make("span",
        {className: "owner", textContent: owner, title: name(owner)}));
      cell.style.background = background(owner);
      Object.assign(cell.dataset, {owner, value});
      if (changed(row, column)) {
        cell.classList.add("changed");
        moved += 1;
      }
      counts[owner] += 1;
    });
  });
  element("filter").replaceChildren(table);
  element("name").textContent = frame.name;
  element("caption").textContent = frame.caption;
  element("told").textContent = counts
    .map((count, owner) => [count, owner]).filter(([count]) => count > 0)
    .map(([count, owner]) => `${name(owner)}: ${count}`).join("; ") +
    (place > 0 ? `. ${moved} weights differ from the stage before.` : ".");
  const at = `${place + 1} of ${frames.length}`;
  element("place").value = at;
  element("scrub").value = place;
  element("scrub").setAttribute("aria-valuetext", `${at}: ${frame.name}`);
  element("back").disabled = place === 0;
  element("on").disabled = place === frames.length - 1;
}

function go(to) {
  place = Math.max(0, Math.min(frames.length - 1, to));
  show();
}

function stop() {
  clearInterval(timer);
  timer = null;
  element("play").textContent = "Play";
}

function start() {
  if (place === frames.length - 1) go(0);
  element("play").textContent = "Pause";
  timer = setInterval(() => {
    go(place + 1);
    if (place === frames.length - 1) stop();
  }, PAUSE);
}

element("scrub").max = frames.length - 1;
element("play").addEventListener("click", () => timer ? stop() : start());
element("back").addEventListener("click", () => { stop(); go(place - 1); });
element("on").addEventListener("click", () => { stop(); go(place + 1); });
element("scrub").addEventListener("input", event => {
  stop();
  go(Number(event.target.value));
});
element("keys").replaceChildren(
  ...[0, ...tasks.map((_, i) => i + 1)].map(owner => make("li", {},
    make("span", {className: "swatch",
      style: {background: background(owner)}}),
    owner ? `${owner} ${tasks[owner - 1]}` : "free, held at 0")));
show();
document.body.dataset.ready = Math.round(performance.now()); // ms
