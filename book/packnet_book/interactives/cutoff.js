const {layers, forAll, errors, seeds, percent: start} =
  JSON.parse(element("data").textContent);
const chosen = {percent: start, how: "each"};
const FEW = 36; // squares that have room for their numbers
const NEAR = 0.5; // whole numbers: the edge is drawn between two bars

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes))
    made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const count = number => number.toLocaleString("en");
const share = (part, whole) =>
  `${Number((100 * part / whole).toFixed(1))}\u00a0%`;
const cutoffs = layer =>
  chosen.how === "one" ? forAll : layer.each.cutoffs;
const cutoffOf = layer => cutoffs(layer)[chosen.percent];

// Where a histogram's edges are drawn, in units of the weights.
function edge(layer) {
  const limit = cutoffOf(layer);
  return limit < 0 ? 0 : limit + (layer.wholeNumbers ? NEAR : 0);
}

// The least percent at which a magnitude is freed.
function percentOf(layer, magnitude) {
  const near = layer.wholeNumbers ? magnitude - NEAR : magnitude;
  const found = cutoffs(layer).findIndex(limit => limit >= near);
  return found < 0 ? 99 : found;
}

function drawHistogram(layer) {
  const {bins, left, width} = layer, box = layer.histogram;
  const wide = Math.max(200, box.clientWidth), high = box.clientHeight;
  const foot = high - 18, top = 16, most = Math.max(...bins);
  const scale = wide / (bins.length * width);
  layer.x = value => (value - left) * scale;
  const gap = layer.wholeNumbers ? 3 : 0;
  const bars = bins.map((height, i) => {
    const up = (foot - top) * height / most;
    return `M${(i * width * scale + gap).toFixed(1)} ${foot}v${-up.toFixed(1)}` +
      `h${(width * scale - 2 * gap).toFixed(1)}V${foot}`;
  }).join("");
  const id = `clip-${layer.number}`;
  layer.outside = [svg("rect", {x: 0, y: 0, height: high}),
    svg("rect", {y: 0, height: high})];
  layer.edges = [0, 1].map(() => svg("g", {},
    svg("path", {class: "now", d: `M0 ${top}V${foot}`}),
    svg("circle", {class: "grip", cy: top, r: 7})));
  const ticks = layer.wholeNumbers
    ? bins.map((_, i) => left + (i + 0.5) * width)
    : [left / 2, 0, -left / 2];
  box.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  box.replaceChildren(
    svg("clipPath", {id}, ...layer.outside),
    svg("path", {class: "all", d: bars}),
    svg("path", {class: "kept", d: bars, "clip-path": `url(#${id})`}),
    svg("path", {class: "rule", d: `M0 ${foot}H${wide}`}),
    ...ticks.map(tick => svg("text", {class: "quiet", x: layer.x(tick),
      y: high - 4, "text-anchor": "middle"}, short(tick))),
    ...layer.edges);
}

function showHistogram(layer) {
  const [low, high] = [-edge(layer), edge(layer)].map(layer.x);
  const wide = layer.histogram.viewBox.baseVal.width;
  const [below, above] = layer.outside;
  below.setAttribute("width", Math.max(0, low));
  above.setAttribute("x", high);
  above.setAttribute("width", Math.max(0, wide - high));
  layer.edges.forEach((part, i) =>
    part.setAttribute("transform", `translate(${[low, high][i]} 0)`));
}

function showLayer(layer) {
  const freed = layer[chosen.how].freed[chosen.percent];
  const falls = layer[chosen.how].falls;
  let zero = 0;
  layer.squares.querySelectorAll("i").forEach((square, i) => {
    const free = falls[i] <= chosen.percent;
    square.classList.toggle("free", free);
    const number = square.querySelector("span");
    if (number) number.textContent = short(free ? 0 : layer.sample[i]);
    zero += free;
  });
  const all = layer.sample.length === layer.weights;
  layer.squares.setAttribute("aria-label",
    `${all ? "The" : "Of the layer, the first"} ${layer.sample.length} ` +
    `weights: ${zero} are zero, ${layer.sample.length - zero} are kept.`);
  const limit = cutoffOf(layer), asked = layer.asked[chosen.percent];
  const bold = make("strong", {textContent:
    `${count(freed)} of ${count(layer.weights)} freed`});
  const cut = limit < 0 ? "no cutoff: " : `cutoff ${short(limit, 3)}: `;
  const ties = chosen.how === "each" && freed > asked
    ? `; asked for ${count(asked)}, but all of the cutoff’s magnitude go` : "";
  layer.words.replaceChildren(cut, bold,
    ` (${share(freed, layer.weights)})${ties}`);
  Object.assign(layer.words.dataset, {freed, cutoff: limit});
  layer.histogram.setAttribute("aria-label", `Histogram of the weights of ` +
    `${layer.name}, ${count(layer.weights)} in all. ` + (limit < 0
      ? "None is freed." : `Freed from ${short(-limit, 3)} to ` +
      `${short(limit, 3)}: ${count(freed)}.`));
  showHistogram(layer);
}

// What was recorded at this percent, or at its neighbours.
function recorded() {
  if (!errors.length) return "";
  const {percent} = chosen;
  const told = ([at, pruned, retrained]) =>
    `at ${at} % freed, ${pruned.toFixed(1)} % of the test pictures are ` +
    `answered wrongly at first and ${retrained.toFixed(1)} % after retraining`;
  const mean = ` (mean of ${seeds} seeds, each layer with its own cutoff).`;
  const here = errors.find(([at]) => at === percent);
  if (here) return ` Recorded: ${told(here)}${mean}`;
  const below = errors.findLast(([at]) => at < percent);
  const above = errors.find(([at]) => at > percent);
  return ` Nothing was recorded at ${percent} %. Recorded: ` +
    [below, above].filter(Boolean).map(told).join("; ") + mean;
}

function show() {
  const {percent, how} = chosen;
  element("percent").value = percent;
  element("percent-label").textContent = how === "one"
    ? "Share of the whole network to free:" : "Share of each layer to free:";
  element("percent-shown").value = `${percent} %`;
  element("percent").setAttribute("aria-valuetext", `${percent} percent`);
  const parts = layers.map(layer =>
    `${layer.name} ${share(layer[how].freed[percent], layer.weights)}`);
  const first = how === "one"
    ? "One cutoff for the whole network takes what is small in it, " +
      `wherever it is: ${parts.join(", ")}.`
    : layers.length > 1
      ? `Each layer loses its own smallest ${percent} %, at a cutoff of ` +
        "its own."
      : `The rule asks for the ${layers[0].asked[percent]} smallest.`;
  element("told").textContent = first + recorded();
  layers.forEach(showLayer);
  if (errors.length) showMark();
}

// The recorded errors, on the scale of the slider above them.
let scaleX;

function drawChart() {
  const chart = element("chart"), thumb = 8;
  const wide = Math.max(250, chart.clientWidth), high = 150;
  const y = error => 14 + (high - 34) * (1 - error / 100);
  scaleX = percent => thumb + (wide - 2 * thumb) * percent / 99;
  const lines = [["pruned", 1, "6 3"], ["retrained", 2, "8 3 2 3"]];
  const gap = errors.map(([, pruned, retrained]) => pruned - retrained);
  const apart = errors[gap.indexOf(Math.max(...gap))];
  chart.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  chart.style.height = `${high}px`;
  chart.replaceChildren(
    ...[0, 50, 100].flatMap(error => [
      svg("path", {class: "rule", d: `M${thumb} ${y(error)}H${wide - thumb}`}),
      svg("text", {class: "quiet", x: thumb, y: y(error) - 3},
        error === 100 ? "100 % of the test pictures wrong" : `${error} %`)]),
    ...[0, 25, 50, 75].map(at => svg("text", {class: "quiet", x: scaleX(at),
      y: high - 4, "text-anchor": at ? "middle" : "start"}, `${at} %`)),
    svg("path", {class: "now", id: "mark"}),
    ...lines.flatMap(([stage, place, dashes]) => [
      svg("polyline", {fill: "none", "stroke-width": 2,
        style: `stroke: var(--${stage})`, "stroke-dasharray": dashes,
        points: errors.map(row => `${scaleX(row[0])},${y(row[place])}`)
          .join(" ")}),
      ...errors.map(row => svg("circle", {cx: scaleX(row[0]),
        cy: y(row[place]), r: 4, style: `fill: var(--${stage})`}))]),
    svg("text", {x: scaleX(apart[0]) - 10, y: y(apart[1]) + 4,
      "text-anchor": "end", style: "fill: var(--pruned)"}, "pruned"),
    svg("text", {x: scaleX(apart[0]) - 4, y: y(apart[2]) - 10,
      "text-anchor": "end", style: "fill: var(--retrained)"}, "retrained"));
  chart.setAttribute("aria-label",
    "Recorded top-1 error over percent freed. " + errors.map(
      ([at, pruned, retrained]) => `${at} %: pruned ${pruned.toFixed(1)}, ` +
        `retrained ${retrained.toFixed(1)}`).join("; ") + ".");
}

const showMark = () => element("mark").setAttribute("d",
  `M${scaleX(chosen.percent)} 14V130`);

function choose(changes) {
  Object.assign(chosen, changes);
  show();
}

function dragged(layer, event) {
  const box = layer.histogram.getBoundingClientRect();
  const inside = event.clientX - box.left;
  const scale = layer.histogram.viewBox.baseVal.width / box.width;
  const magnitude = Math.abs(inside * scale / (layer.x(1) - layer.x(0))
    + layer.left);
  choose({percent: percentOf(layer, magnitude)});
}

function build(layer, number) {
  layer.number = number;
  layer.histogram = svg("svg", {class: "histogram", role: "img"});
  const numbers = layer.sample.length <= FEW;
  const most = Math.max(...layer.sample.map(Math.abs), 1e-30);
  layer.squares = make("div", {className: numbers
    ? "squares numbers" : "squares", role: "img"},
  ...layer.sample.map(value => {
    const size = numbers ? 1 : Math.sqrt(Math.abs(value) / most);
    const inner = make("b");
    inner.style.setProperty("--size", size.toFixed(3));
    return numbers ? make("i", {}, inner, make("span")) : make("i", {}, inner);
  }));
  layer.squares.style.gridTemplateColumns =
    `repeat(${layer.columns}, minmax(0, 1fr))`;
  layer.words = make("p");
  layer.histogram.addEventListener("pointerdown", event => {
    layer.histogram.setPointerCapture(event.pointerId);
    dragged(layer, event);
  });
  layer.histogram.addEventListener("pointermove", event => {
    if (layer.histogram.hasPointerCapture(event.pointerId))
      dragged(layer, event);
  });
  return make("section", {className: "layer"},
    make("h2", {textContent: layer.name}), layer.histogram, layer.squares,
    layer.words);
}

function draw() {
  if (errors.length) drawChart();
  layers.forEach(drawHistogram);
  show();
}

element("layers").append(...layers.map(build));
element("how").hidden = layers.length < 2;
element("chart").toggleAttribute("hidden", !errors.length);
element("percent").addEventListener("input", event =>
  choose({percent: Number(event.target.value)}));
for (const choice of document.getElementsByName("how"))
  choice.addEventListener("change", () => choose({how: choice.value}));
new ResizeObserver(draw).observe(element("layers"));
draw();
document.body.dataset.ready = Math.round(performance.now()); // ms
