const {tasks, layers, weights: packed} = JSON.parse(element("data").textContent);
const chosen = {layer: 0, filter: 0, kernel: 0, stage: tasks.length,
  task: tasks.length, paint: "owners"};
const name = owner => owner === 0 ? "free" : tasks[owner - 1].name;
let values, owners; // of all layers, one after the other

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The chosen filter at the chosen stage, seen by the chosen task: for each
// weight its value, its owner then, and whether the view leaves it out.
function filter() {
  const layer = layers[chosen.layer];
  const scale = layer.scales[chosen.filter];
  const start = layer.offset + chosen.filter * layer.weights;
  const weights = [];
  for (let i = start; i < start + layer.weights; i++) {
    const owner = owners[i] <= chosen.stage ? owners[i] : 0;
    const value = owner === 0 ? 0 : values[i] * scale;
    weights.push({value, owner, leftOut: owner > chosen.task});
  }
  return weights;
}

// How many weights are free, of task 1, … at the chosen stage.
function atStage(counts) {
  const then = counts.slice(0, chosen.stage + 1);
  then[0] += counts.slice(chosen.stage + 1).reduce((a, b) => a + b, 0);
  return then;
}

function countsOf(weights) {
  const counts = Array(tasks.length + 1).fill(0);
  for (const weight of weights) counts[weight.owner] += 1;
  return counts;
}

const percent = (part, whole) => `${(100 * part / whole).toFixed(1)} %`;
const sum = numbers => numbers.reduce((a, b) => a + b, 0);

function inWords(counts) {
  const whole = sum(counts);
  return counts.map((count, owner) => [count, owner])
    .filter(([count]) => count > 0)
    .map(([count, owner]) =>
      `${name(owner)} ${count.toLocaleString("en")} (${percent(count, whole)})`)
    .join(", ");
}

function options(select, entries, value) {
  select.replaceChildren(...entries.map(([key, text]) =>
    make("option", {value: key, textContent: text})));
  select.value = value;
}

// Everything that can be chosen, given what is chosen already.
function offer() {
  const layer = layers[chosen.layer];
  const size = layer.block[0] * layer.block[1];
  layer.kernels = Math.ceil(layer.weights / size);
  chosen.filter = Math.min(chosen.filter, layer.shown.length - 1);
  chosen.kernel = Math.min(chosen.kernel, layer.kernels - 1);
  chosen.task = Math.min(chosen.task, chosen.stage);
  const numbered = tasks.map((task, i) => [i + 1, `${i + 1} ${task.name}`]);
  options(element("layer"), layers.map((l, i) => [i, l.name]), chosen.layer);
  options(element("stage"), numbered, chosen.stage);
  options(element("task"), numbered.slice(0, chosen.stage), chosen.task);
  options(element("paint"), [["owners", "owners, in colours"],
    ["values", "values, black where large"],
    ...[0, ...numbered.map(([i]) => i)].map(i => [i, `only ${i ? `task ${i}, ` : ""}${name(i)}`]),
  ], chosen.paint);
  element("filter").max = layer.shown.length - 1;
  element("filter").value = chosen.filter;
  element("kernel").max = layer.kernels - 1;
  element("kernel").value = chosen.kernel;
}

function show() {
  const layer = layers[chosen.layer], weights = filter();
  const number = layer.shown[chosen.filter];
  const left = weights.filter(weight => weight.leftOut).length;
  const sees = weights.filter(w => w.owner > 0 && !w.leftOut).length;
  const square = layer.block[0] * layer.block[1];
  const inputs = layer.kernels * square !== layer.weights || square === 16;
  const from = chosen.kernel * square;
  const what = inputs
    ? `inputs ${from} to ${Math.min(from + square, layer.weights) - 1}`
    : `input channel ${chosen.kernel}`;
  const filterTold = `${number} of ${layer.filters}`;
  const kernelTold = `${what} of ${inputs ? layer.weights : layer.kernels}`;
  element("filter-shown").value = filterTold;
  element("kernel-shown").value = kernelTold;
  element("filter").setAttribute("aria-valuetext", filterTold);
  element("kernel").setAttribute("aria-valuetext", kernelTold);
  for (const [slider, count] of [["filter", layer.shown.length],
    ["kernel", layer.kernels]]) {
    element(`${slider}-less`).disabled = chosen[slider] === 0;
    element(`${slider}-more`).disabled = chosen[slider] === count - 1;
  }
  element("told").textContent =
    `${layer.name}, filter ${number}, when ${name(chosen.stage)} was ` +
    `finished: ${weights.length.toLocaleString("en")} weights. ` +
    `${inWords(countsOf(weights))}. In the view of ${name(chosen.task)} ` +
    `${sees.toLocaleString("en")} are seen and ` +
    `${left.toLocaleString("en")} of later tasks are left out.`;
  showMap();
  showMosaic(layer, weights);
  showKernel(layer, weights, what);
  showShares(layer, weights);
}

function showKernel(layer, weights, what) {
  const [rows, columns] = layer.block;
  const table = make("table", {className: "weights"},
    make("caption", {textContent: `Weights of ${what}`}));
  for (let row = 0; row < rows; row++) {
    const line = table.insertRow();
    for (let column = 0; column < columns; column++) {
      const place = (chosen.kernel * rows + row) * columns + column;
      if (place >= weights.length) break;
      const {value, owner, leftOut} = weights[place];
      const cell = line.insertCell();
      const number = make("span", {textContent: short(value),
        className: leftOut ? "left-out" : ""});
      cell.append(number);
      if (owner) cell.append(make("span",
        {className: "owner", textContent: owner, title: name(owner)}));
      cell.style.background = background(leftOut ? 0 : owner);
      Object.assign(cell.dataset, {owner, leftOut, value});
      if (owner) number.style.background = "rgb(255 255 255 / 0.75)";
    }
  }
  element("enlarged").replaceChildren(table);
}

// Where a kernel lies in the mosaic: its column and row of kernels.
function grid(layer) {
  const [rows, columns] = layer.block;
  const across = Math.max(1, Math.ceil(Math.sqrt(
    layer.kernels * (rows + 0.5) / (columns + 0.5))));
  return {across, down: Math.ceil(layer.kernels / across)};
}

let dots = 1; // a weight's side in the mosaic, in dots of the canvas

function showMosaic(layer, weights) {
  const [rows, columns] = layer.block, {across, down} = grid(layer);
  const wide = across * (columns + 0.5) + 0.5;
  const high = down * (rows + 0.5) + 0.5;
  dots = Math.max(2, Math.min(40, 2 * Math.floor(720 / wide / 2)));
  const canvas = element("mosaic");
  canvas.width = wide * dots;
  canvas.height = high * dots;
  canvas.style.width = `${canvas.width / 2}px`;
  const draw = canvas.getContext("2d");
  draw.fillStyle = "#dddddd";
  draw.fillRect(0, 0, canvas.width, canvas.height);
  const most = Math.max(...weights.map(w => Math.abs(w.value)), 1e-30);
  weights.forEach((weight, place) => {
    const kernel = Math.floor(place / (rows * columns));
    const inside = place % (rows * columns);
    const x = (kernel % across) * (columns + 0.5) + inside % columns + 0.5;
    const y = Math.floor(kernel / across) * (rows + 0.5) +
      Math.floor(inside / columns) + 0.5;
    draw.fillStyle = colour(weight, most);
    draw.fillRect(x * dots, y * dots, dots, dots);
  });
  const x = (chosen.kernel % across) * (columns + 0.5) + 0.25;
  const y = Math.floor(chosen.kernel / across) * (rows + 0.5) + 0.25;
  draw.lineWidth = Math.max(2, dots / 3);
  draw.strokeStyle = "#000";
  draw.strokeRect(x * dots, y * dots,
    (columns + 0.5) * dots, (rows + 0.5) * dots);
  const told = `${layer.kernels} kernels, ${across} a row, of ` +
    `${rows} by ${columns} weights. `;
  const how = {
    owners: "The colour is the owner's; white is free or left out. ",
    values: "The darker, the larger; white is zero. ",
  }[chosen.paint] ?? `Black: ${name(Number(chosen.paint))}. `;
  element("mosaic-told").textContent =
    `${told}${how}Click a kernel to enlarge it.`;
  canvas.setAttribute("aria-label",
    `${told}${how}${inWords(countsOf(weights))}.`);
}

function colour({value, owner, leftOut}, most) {
  if (chosen.paint === "owners") return COLOURS[leftOut ? 0 : kind(owner)];
  if (chosen.paint === "values") {
    const grey = 255 * (1 - (leftOut ? 0 : Math.abs(value) / most) ** 0.5);
    return `rgb(${grey} ${grey} ${grey})`;
  }
  return owner === Number(chosen.paint) ? "#000" : "#fff";
}

// Who owns how much, as one bar.
function bar(counts) {
  return make("div", {className: "bar", ariaHidden: "true"},
    ...counts.map((count, owner) => make("span", {dataset: {owner, count},
      style: {flex: `${count} 0 0`, background: background(owner)}}))
      .filter(part => part.dataset.count > 0));
}

// All layers at once; one of them is chosen.
function makeMap() {
  element("map").append(...layers.map((layer, i) => make("label", {},
    make("input", {type: "radio", name: "map", value: i,
      onchange: () => choose({layer: i})}),
    make("span", {textContent: layer.name}), make("div"))));
}

function showMap() {
  const most = Math.max(...layers.map(layer => layer.filters));
  layers.forEach((layer, i) => {
    const counts = atStage(layer.counts);
    const [choice, , place] = element("map").children[i].children;
    choice.checked = i === chosen.layer;
    choice.setAttribute("aria-label", `${layer.name}, `
      + `${layer.filters.toLocaleString("en")} filters: ${inWords(counts)}`);
    place.replaceChildren(bar(counts));
    place.firstChild.style.width = `${100 * Math.sqrt(layer.filters / most)}%`;
  });
}

function showShares(layer, weights) {
  const all = layers.map(l => l.counts)
    .reduce((a, b) => a.map((count, i) => count + b[i]));
  element("shares").replaceChildren(
    ...[["this filter", countsOf(weights)],
      [`all of ${layer.name}`, atStage(layer.counts)],
      ["all layers", atStage(all)]].map(([what, counts]) => {
      const whole = sum(counts);
      const parts = counts.map((count, owner) => ({count, owner}))
        .filter(({count}) => count > 0);
      return make("div", {className: "share", dataset: {what}},
        make("strong", {textContent:
          `${what}: ${whole.toLocaleString("en")} weights`}),
        bar(counts),
        make("ul", {className: "keys"}, ...parts.map(({count, owner}) =>
          make("li", {dataset: {owner, count}},
            make("span", {className: "swatch",
              style: {background: background(owner)}}),
            `${owner ? `${owner} ` : ""}${name(owner)} ${percent(count, whole)}`))));
    }));
}

function choose(changes) {
  Object.assign(chosen, changes);
  offer();
  show();
  if (window.top === window) // alone, what is shown stands in the address
    history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
}

// What an address asks for, as far as it is there.
function asked() {
  const found = {}, given = new URLSearchParams(location.hash.slice(1));
  const below = {layer: layers.length, filter: Infinity, kernel: Infinity,
    stage: tasks.length + 1, task: tasks.length + 1};
  for (const [key, end] of Object.entries(below)) {
    const least = key === "stage" || key === "task" ? 1 : 0;
    const value = Number(given.get(key) ?? NaN);
    if (Number.isInteger(value) && value >= least && value < end)
      found[key] = value;
  }
  const paint = given.get("paint");
  if (paint === "owners" || paint === "values" || Number(paint) <= tasks.length
    && /^\d+$/.test(paint)) found.paint = paint;
  return found;
}

// Three things to see, each a choice of all that can be chosen.
function tour() {
  const last = tasks.length;
  const stops = {
    "Tasks share a filter": {stage: last, task: last},
    [`${name(1)} sees only its own`]: {stage: last, task: 1},
    [`Before ${last > 1 ? name(2) : "a second task"} came`]:
      {stage: 1, task: 1},
  };
  element("tour").append(...Object.entries(stops).map(([text, stop]) => {
    const button = make("button", {type: "button", textContent: text});
    button.addEventListener("click", () => choose({...stop, paint: "owners"}));
    return button;
  }));
}

// A button beside a slider that moves it by one.
function stepper(id, name, word, arrow, by) {
  const button = make("button", {type: "button", id: `${id}-${name}`,
    ariaLabel: `${word} ${id}`, textContent: arrow});
  button.addEventListener("click", () => choose({[id]: chosen[id] + by}));
  return button;
}

async function begin() {
  const bytes = await inflate(packed);
  const weights = bytes.length / 2;
  values = new Int8Array(bytes.buffer, 0, weights);
  owners = bytes.subarray(weights);
  let offset = 0;
  for (const layer of layers) {
    layer.offset = offset;
    offset += layer.shown.length * layer.weights;
  }
  const shown = sum(layers.map(l => l.shown.length));
  const filters = sum(layers.map(l => l.filters));
  element("about").textContent =
    `${tasks.length} tasks in one network. ` + (shown < filters
      ? `To keep this page small it holds a sample: ` +
        `${shown.toLocaleString("en")} of ${filters.toLocaleString("en")} ` +
        `filters, evenly spaced in each layer. Shares of a layer, and of ` +
        `all layers, are counted over all weights. `
      : `It holds all ${filters.toLocaleString("en")} filters. `) +
    `Values are rounded to a 127th of the largest in their filter.`;
  for (const id of ["layer", "stage", "task"]) {
    element(id).addEventListener("change", event =>
      choose({[id]: Number(event.target.value)}));
  }
  element("paint").addEventListener("change", event =>
    choose({paint: event.target.value}));
  for (const id of ["filter", "kernel"]) {
    const slider = element(id);
    slider.addEventListener("input", () =>
      choose({[id]: Number(slider.value)}));
    slider.before(stepper(id, "less", "Previous", "\u2190", -1));
    slider.after(stepper(id, "more", "Next", "\u2192", 1));
  }
  element("mosaic").addEventListener("click", event => {
    const layer = layers[chosen.layer], [rows, columns] = layer.block;
    const {across} = grid(layer), canvas = event.target;
    const dot = canvas.width / canvas.clientWidth / dots;
    const column = Math.floor(event.offsetX * dot / (columns + 0.5));
    const row = Math.floor(event.offsetY * dot / (rows + 0.5));
    const kernel = row * across + Math.min(column, across - 1);
    if (kernel < layer.kernels) choose({kernel});
  });
  tour();
  makeMap();
  // a first filter with enough weights to make a picture
  const rich = layers.findIndex(layer => layer.weights >= 100);
  choose({layer: Math.max(0, rich), ...asked()});
  document.body.dataset.ready = Math.round(performance.now()); // ms
}

begin().catch(problem => {
  element("about").textContent =
    `This browser cannot show the explorer (${problem}); ` +
    `any browser of the last three years can.`;
});
