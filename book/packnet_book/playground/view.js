// Everything that is drawn, from a run; nothing here changes it.
//
// Colours and hatches of owners are the book's (explorer/common.js); on a
// light ground thin lines take a darker shade of the same hue.

import {
  bitsChanged, cutoffs, forward, keep, shares, visible,
} from "./method.js";
import {
  changes, errors, fraction, isOver, length, nameOf, networkOf, nextStage,
  pointsOf, whenFinished,
} from "./run.js";

const DARK_INK = ["#9a9a9a", "#56B4E9", "#E69F00", "#2CC796", "#F0E442",
  "#E391C0"];
const LIGHT_INK = ["#767676", "#0072B2", "#A86200", "#007A5A", "#5C5300",
  "#A8517F"];
const DASHES = [[1, 4], [], [9, 4], [2, 3], [9, 3, 2, 3], [5, 5]];
const GRID = 36, SMALL = 16; // points along a side: of a region, of a unit
export const METHOD_NAMES = {
  finetune: "Plain training", packnet: "PackNet", heads: "Outputs alone",
  separate: "Separate networks",
};
export const METHODS_TOLD = {
  finetune: "Each task trains all weights. Nothing is protected.",
  packnet: "After each task the smallest weights are pruned: set to zero, "
    + "and free for the next task. The others are retrained, then fixed for "
    + "ever.",
  heads: "After the first task the network is fixed. Each later task has "
    + "two outputs of its own, and nothing else.",
  separate: "Each task has a network of its own: four times the weights.",
};
const STAGE_NAMES = {
  train: "training", prune: "pruned", retrain: "retraining",
};

const isDarkGround = () => document.documentElement.dataset.ground === "dark";
export const ink = task =>
  (isDarkGround() ? DARK_INK : LIGHT_INK)[kind(task)];
const styleOf = name =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Numbers as text; what is no number is a dash.
export const percent = (share, digits = 1) => Number.isFinite(share)
  ? `${(100 * share).toFixed(digits)}\u00a0%` : "–";
const whole = number => number.toLocaleString("en");
const number = value => Number.isFinite(value)
  ? value.toFixed(3).replace("-", MINUS) : "–";

// Who owns a weight, as it is shown. Without PackNet: who wrote it last.
export function shownOwner(run, layer, i, viewed) {
  if (run.method === "packnet") return run.networks[0].owners[layer][i];
  if (run.method === "separate") return viewed;
  if (run.method === "heads" || run.current === 1) return 1;
  return run.at > 0 ? run.current : run.current - 1;
}

// A canvas as sharp as the screen, or less where that takes too long. Returns
// its context, and its size in pixels of the page.
function sharp(canvas, height, most = Infinity) {
  const width = canvas.clientWidth;
  const ratio = Math.min(window.devicePixelRatio || 1, most);
  const wide = Math.round(width * ratio), high = Math.round(height * ratio);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return {context, width, height};
}

// The panels

function grid(side) {
  const inputs = new Float64Array(2 * side * side);
  for (let row = 0, at = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      inputs[at++] = 2.2 * (column + 0.5) / side - 1.1;
      inputs[at++] = 1.1 - 2.2 * (row + 0.5) / side;
    }
  }
  return inputs;
}
const gridInputs = grid(GRID), smallGrid = grid(SMALL);

export function makePanels(box, settings, act) {
  box.replaceChildren(...settings.order.map((name, i) => make("article",
    {className: "panel", tabIndex: 0, dataset: {task: i + 1}},
    make("h2", {}, make("span", {className: "swatch",
      style: {background: background(i + 1)}}), `${i + 1} ${name}`),
    make("div", {className: "picture"},
      make("canvas", {className: "region", width: GRID, height: GRID}),
      make("canvas", {className: "points"})),
    make("p", {className: "error"}), make("p", {className: "fate quiet"}))));
  for (const panel of box.children) {
    const point = () => act.view(+panel.dataset.task);
    panel.addEventListener("pointerenter", point);
    panel.addEventListener("focus", point);
    panel.addEventListener("pointerleave", event =>
      event.pointerType === "touch" || act.view(0));
    panel.addEventListener("blur", () => act.view(0));
  }
}

const regions = new WeakMap(); // what each panel's region was drawn from
let pictures = 0;

const isStale = (canvas, run, task) => {
  const from = regions.get(canvas);
  return from?.run !== run || from.ground !== isDarkGround()
    || bitsChanged(from.kept, networkOf(run, task), task).changed > 0;
};

function drawRegion(canvas, run, task) {
  const network = networkOf(run, task);
  regions.set(canvas, {run, ground: isDarkGround(),
    kept: keep(network, task), picture: pictures++});
  const {logits} = forward(network, task, gridInputs);
  const image = new ImageData(GRID, GRID), {data} = image;
  const [r, g, b] = rgb(COLOURS[kind(task)]);
  for (let i = 0, to = 0; i < GRID * GRID; i++) {
    const margin = logits[2 * i + 1] - logits[2 * i];
    data[to++] = r;
    data[to++] = g;
    data[to++] = b;
    data[to++] = 20 + 150 / (1 + Math.exp(-2 * margin));
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// The regions that are no longer those of the network. One of a finished
// task at a time while it plays, in turn: a picture is made in little time.
function drawRegions(box, run, playing) {
  const stale = [], begun = [...box.querySelectorAll(".region")];
  begun.splice(run.current).forEach(canvas => {
    if (!regions.delete(canvas)) return;
    canvas.getContext("2d").clearRect(0, 0, GRID, GRID);
  });
  begun.forEach((canvas, i) => {
    if (isStale(canvas, run, i + 1)) stale.push([canvas, i + 1]);
  });
  const when = ([canvas]) => regions.get(canvas)?.picture ?? -1;
  const finished = stale.filter(([, task]) => task < run.current)
    .sort((a, b) => when(a) - when(b));
  for (const [canvas, task] of playing
    ? [...finished.slice(0, 1), ...stale.filter(([, t]) => t === run.current)]
    : stale) drawRegion(canvas, run, task);
}

const rgb = colour => [1, 3, 5].map(i =>
  parseInt(colour.slice(i, i + 2), 16));

const painted = new WeakMap();

function drawPoints2D(canvas, points, task) {
  const size = canvas.clientWidth, ground = isDarkGround();
  const from = painted.get(canvas);
  if (!size || (from?.points === points && from.size === size
    && from.ground === ground)) return;
  painted.set(canvas, {points, size, ground});
  const {context} = sharp(canvas, size);
  paintPoints(context, size, points.inputs, points.labels, task);
}

export function paintPoints(context, size, inputs, labels, task) {
  const radius = Math.max(1.4, size / 110), rim = styleOf("--ink");
  context.lineWidth = 0.8;
  for (let n = 0; n < labels.length; n++) {
    const x = size * (inputs[2 * n] + 1.1) / 2.2;
    const y = size * (1.1 - inputs[2 * n + 1]) / 2.2;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fillStyle = labels[n] ? ink(task) : styleOf("--ground");
    context.fill();
    context.strokeStyle = labels[n] ? ink(task) : rim;
    context.stroke();
  }
}

// now: the errors to show; playing: the next picture is due soon.
export function drawPanels(box, run, viewed, now, playing = false) {
  drawRegions(box, run, playing);
  for (const canvas of box.querySelectorAll(".points")) {
    const task = +canvas.closest(".panel").dataset.task;
    drawPoints2D(canvas, pointsOf(run.settings, nameOf(run, task), "train"),
      task);
  }
  const changed = changes(run); // texts last: sizes are asked for above
  for (const panel of box.children) {
    const task = +panel.dataset.task, begun = task <= run.current;
    panel.dataset.state = !begun ? "later"
      : task < run.current ? "finished" : "current";
    panel.classList.toggle("viewed", task === viewed);
    const error = now[task - 1], was = whenFinished(run, task);
    const worse = was !== null && error !== null && error - was > 0.005;
    panel.classList.toggle("worse", worse);
    say(panel.querySelector(".error"), begun ? `error ${percent(error)}`
      : "not yet");
    say(panel.querySelector(".fate"), fate(run, task, was, changed));
  }
}

function fate(run, task, was, changed) {
  if (task > run.current) return "";
  if (task === run.current) {
    return run.diverged ? "diverged" : isOver(run) && !nextStage(run)
      ? "finished" : STAGE_NAMES[run.stage];
  }
  const bits = changed[task - 1].changed;
  return bits ? `when finished ${percent(was)}`
    : "finished, not a bit changed";
}

export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The network

// Where everything is: nodes and lines, in pixels.
export function layout(run, width) {
  const {hidden} = run.networks[0];
  const height = Math.max(300, Math.min(470, width * 0.62, 60 + 31 * hidden));
  const column = (count, x, from, to) => Array.from({length: count}, (_, i) =>
    ({x, y: from + (to - from) * (i + 0.5) / count}));
  const left = width < 500 ? 16 : 40, right = width < 500 ? 84 : 120;
  const across = width - left - right;
  const inputs = column(2, left, height * 0.25, height * 0.75);
  const first = column(hidden, left + 0.33 * across, 4, height - 4);
  const second = column(hidden, left + 0.75 * across, 4, height - 4);
  const tasks = run.settings.order.length;
  const heads = column(tasks, width - right, height * 0.1, height * 0.9);
  const node = Math.min(24, (height - 8) / hidden - 4);
  return {width, height, inputs, first, second, heads, node};
}

export function linesOf(run, place) {
  const {hidden} = run.networks[0], lines = [];
  for (const [layer, from, to] of [[0, place.inputs, place.first],
    [1, place.first, place.second]]) {
    for (let o = 0, i = 0; o < hidden; o++) {
      for (let n = 0; n < from.length; n++, i++) {
        lines.push({layer, i, from: from[n], to: to[o]});
      }
    }
  }
  return lines;
}

// The task whose outputs are drawn at a point, or 0.
export const headAt = (run, width, x, y) => 1 + layout(run, width).heads
  .findIndex(head => Math.abs(y - head.y) < 12 && x > head.x - 12);

// The weight whose line is nearest to a point, or null.
export function nearest(run, width, x, y) {
  const place = layout(run, width);
  let best = null, least = 8;
  for (const line of linesOf(run, place)) {
    const {from, to} = line, dx = to.x - from.x, dy = to.y - from.y;
    const t = Math.max(0, Math.min(1,
      ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy)));
    const away = Math.hypot(x - from.x - t * dx, y - from.y - t * dy);
    if (away < least) [best, least] = [line, away];
  }
  return best && {layer: best.layer, i: best.i};
}

const sprite = document.createElement("canvas");

export function drawNetwork(canvas, run, viewed, pointed, moving = false) {
  const task = viewed && viewed <= run.current ? viewed : run.current;
  const network = networkOf(run, task);
  const place = layout(run, canvas.clientWidth);
  const {context, width, height} = sharp(canvas, place.height,
    moving ? 1.5 : Infinity);
  const masks = viewed && run.method === "packnet";
  const lines = linesOf(run, place);
  const thin = width < 500 ? 0.6 : 1;
  const stroke = ({layer, i, from, to}) => {
    const owner = shownOwner(run, layer, i, task);
    const value = network.weights[layer][i];
    const hidden = masks && !visible(owner, task);
    const chosen = pointed?.layer === layer && pointed.i === i;
    context.globalAlpha = hidden ? 0.08 : owner === 0 ? 0.45 : 0.85;
    context.strokeStyle = chosen ? styleOf("--ink") : ink(owner);
    context.lineWidth = chosen ? 4 : owner === 0 ? 0.7
      : thin * Math.min(5, 0.5 + 1.3 * Math.abs(value) || 0.5);
    context.setLineDash(DASHES[kind(owner)]);
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  };
  for (const line of lines) stroke(line);
  drawHeads(context, run, place, task, viewed);
  const chosen = pointed && lines.find(({layer, i}) =>
    layer === pointed.layer && i === pointed.i);
  if (chosen) stroke(chosen);
  context.globalAlpha = 1;
  context.setLineDash([]);
  drawUnits(context, network, place, task);
  context.fillStyle = styleOf("--ink");
  context.font = "13px system-ui, sans-serif";
  context.textAlign = "center";
  place.inputs.forEach(({x, y}, i) => {
    context.fillStyle = styleOf("--ground");
    context.beginPath();
    context.arc(x, y, 11, 0, 7);
    context.fill();
    context.strokeStyle = styleOf("--line");
    context.stroke();
    context.fillStyle = styleOf("--ink");
    context.fillText("xy"[i], x, y + 4);
  });
  return {width, height};
}

function drawHeads(context, run, place, task, viewed) {
  context.font = "13px system-ui, sans-serif";
  context.textAlign = "left";
  place.heads.forEach(({x, y}, i) => {
    const begun = i < run.current, shown = i + 1 === task;
    if (begun && (!viewed || shown)) {
      const head = networkOf(run, i + 1).heads[i + 1].weight;
      context.globalAlpha = shown ? 0.6 : 0.12;
      context.strokeStyle = ink(i + 1);
      context.setLineDash(DASHES[kind(i + 1)]);
      place.second.forEach((from, n) => {
        const size = head[place.second.length + n] - head[n];
        context.lineWidth = Math.min(4, 0.4 + Math.abs(size) / 2 || 0.4);
        context.beginPath();
        context.moveTo(from.x, from.y);
        context.lineTo(x, y);
        context.stroke();
      });
    }
    context.globalAlpha = begun ? 1 : 0.35;
    context.setLineDash([]);
    context.fillStyle = COLOURS[kind(i + 1)];
    context.strokeStyle = ink(i + 1);
    context.lineWidth = 1.5;
    context.fillRect(x - 8, y - 8, 16, 16);
    context.strokeRect(x - 8, y - 8, 16, 16);
    context.fillStyle = styleOf("--ink");
    context.globalAlpha = begun ? 1 : 0.6;
    context.fillText(run.settings.order[i], x + 14, y + 4);
  });
}

// What each unit answers over the plane: dark where it is high.
function drawUnits(context, network, place, task) {
  const {hidden} = network, relu = network.activation === "relu";
  const {first, second} = forward(network, task, smallGrid);
  if (sprite.width !== SMALL * hidden) {
    sprite.width = SMALL * hidden;
    sprite.height = 2 * SMALL;
  }
  const pen = sprite.getContext("2d"), [low, high] = isDarkGround()
    ? [[30, 36, 44], [230, 230, 230]] : [[255, 255, 255], [70, 70, 70]];
  [first, second].forEach((outputs, layer) => {
    const image = new ImageData(SMALL * hidden, SMALL);
    for (let p = 0; p < SMALL * SMALL; p++) {
      const row = Math.floor(p / SMALL), column = p % SMALL;
      for (let unit = 0; unit < hidden; unit++) {
        const y = outputs[p * hidden + unit];
        const share = relu ? Math.min(1, y) : (y + 1) / 2;
        const at = 4 * (row * SMALL * hidden + unit * SMALL + column);
        for (let c = 0; c < 3; c++) {
          image.data[at + c] = low[c] + (high[c] - low[c]) * share;
        }
        image.data[at + 3] = 255;
      }
    }
    pen.putImageData(image, 0, layer * SMALL);
  });
  const size = place.node;
  context.strokeStyle = styleOf("--line");
  context.lineWidth = 1;
  [place.first, place.second].forEach((nodes, layer) => {
    nodes.forEach(({x, y}, unit) => {
      context.drawImage(sprite, unit * SMALL, layer * SMALL, SMALL, SMALL,
        x - size / 2, y - size / 2, size, size);
      context.strokeRect(x - size / 2, y - size / 2, size, size);
    });
  });
}

// One weight in words: value, owner, what it was.
export function tellWeight(run, {layer, i}, viewed) {
  const task = viewed && viewed <= run.current ? viewed : run.current;
  const network = networkOf(run, task), {hidden} = network;
  const ins = layer ? hidden : 2, value = network.weights[layer][i];
  const from = layer ? `unit ${i % ins + 1}` : "xy"[i % ins];
  const to = `unit ${Math.floor(i / ins) + 1} of layer ${layer + 1}`;
  const owner = shownOwner(run, layer, i, task);
  const whose = owner === 0 ? "free, held at 0"
    : run.method === "packnet" || run.method === "separate"
      ? `of ${nameOf(run, owner)}` : `last trained by ${nameOf(run, owner)}`;
  const was = run.method === "separate" ? [] : run.kept.map((kept, k) =>
    kept[layer][i] !== 0 || k + 1 === owner
      ? `${number(kept[layer][i])} when ${nameOf(run, k + 1)} was finished`
      : "").filter(Boolean);
  return `From ${from} to ${to}: ${number(value)}, ${whose}.`
    + (was.length ? ` It was ${was.join(", ")}.` : "");
}

// The owner bar

export function countOwners(run) {
  const tasks = run.settings.order.length;
  if (run.method === "packnet") return shares(run.networks[0], tasks);
  const counts = new Array(tasks + 1).fill(0);
  run.networks.forEach((network, n) => network.weights.forEach(
    (weight, layer) => weight.forEach((_, i) =>
      counts[shownOwner(run, layer, i, n + 1)]++)));
  return counts;
}

export function drawOwners(bar, keys, run) {
  const counts = countOwners(run);
  const all = counts.reduce((a, b) => a + b, 0);
  const name = owner => owner ? nameOf(run, owner) : "free";
  const order = [...counts.keys()].sort((a, b) => (a || 99) - (b || 99))
    .filter(owner => counts[owner]);
  const state = order.map(o => `${o}:${counts[o]}:${name(o)}`).join();
  if (bar.dataset.state === state) return;
  bar.dataset.state = state;
  bar.replaceChildren(...order.map(owner => make("span", {style: {
    background: background(owner), width: `${100 * counts[owner] / all}%`}})));
  keys.replaceChildren(...order.map(owner => make("li",
    {dataset: {owner, count: counts[owner]}},
    make("span", {className: "swatch",
      style: {background: background(owner)}}),
    `${name(owner)} ${counts[owner]}`)));
  bar.setAttribute("aria-label", `Of ${all} weights: ` + order.map(owner =>
    `${name(owner)} ${counts[owner]}`).join(", "));
}

// Sizes of the weights that the next pruning looks at

// The last task is not pruned, and only PackNet prunes.
export const prunesAgain = run => run.method === "packnet"
  && run.current < run.settings.order.length;

// Returns what the handle would do, in words, or null where there is none.
export function drawSizes(canvas, told, run) {
  if (run.method !== "packnet") {
    say(told, "Only PackNet prunes.");
    sharp(canvas, 2);
    return null;
  }
  const task = run.current, {traps} = run.settings;
  const network = run.networks[0], pruned = run.stage !== "train";
  const share = fraction(run, pruned ? task + 1 : task);
  const cuts = !pruned && prunesAgain(run);
  const limits = cutoffs(network, task, cuts ? share : 0, traps);
  const {context, width, height} = sharp(canvas, 92);
  const most = largest(network, task);
  const scale = size => 8 + (width - 16) * Math.sqrt(size / most);
  let frees = 0, mine = 0;
  network.weights.forEach((weight, layer) => {
    const top = 18 + 38 * layer, owner = network.owners[layer];
    context.fillStyle = styleOf("--quiet");
    context.font = "12px system-ui, sans-serif";
    context.fillText(`layer ${layer + 1}`, 20, top - 5);
    context.lineWidth = 1.2;
    for (let i = 0; i < weight.length; i++) {
      if (owner[i] !== task) continue;
      const size = Math.abs(weight[i]), x = scale(size);
      const goes = limits[layer] !== null && size <= limits[layer];
      mine++;
      frees += goes ? 1 : 0;
      context.strokeStyle = goes ? ink(0) : ink(task);
      context.beginPath();
      context.moveTo(x, top + (goes ? 9 : 0));
      context.lineTo(x, top + 18);
      context.stroke();
    }
    if (cuts && owner.includes(task)) {
      const x = scale(limits[layer] ?? 0) + 1;
      context.fillStyle = styleOf("--ink");
      context.fillRect(x - 1, top - 4, 2, 26);
      context.beginPath();
      context.arc(x, top - 6, 4, 0, 7);
      context.fill();
    }
  });
  const name = nameOf(run, task);
  say(told, pruned
    ? `${name} was pruned. The handle is for ${nameOf(run, task + 1)
      ?? "a task to come"}.`
    : !nextStage(run) && task === run.settings.order.length
      ? `${name} is the last task and is not pruned.`
      : !mine ? `${name} owns no weight: nothing was free for it.`
        : `Each line is a weight of ${name}, the smallest on the left. Drag a `
          + `handle. Pruning now would free ${frees} of ${mine}.`);
  return cuts ? `frees ${frees} of ${mine}` : null;
}

const largest = (network, task) => Math.max(1e-9, ...network.weights.flatMap(
  (weight, layer) => Array.from(weight, (w, i) =>
    network.owners[layer][i] === task ? Math.abs(w) || 0 : 0)));

// The fraction that puts the cutoff, of a layer or of both, where a pointer
// is.
export function fractionAt(run, canvas, x, y) {
  const task = run.current, network = run.networks[0];
  const layer = y < 48 ? 0 : 1, width = canvas.clientWidth;
  const size = largest(network, task)
    * Math.max(0, (x - 8) / (width - 16)) ** 2;
  const layers = run.settings.traps.global ? [0, 1] : [layer];
  const mine = layers.flatMap(l => [...network.weights[l]].filter((_, i) =>
    network.owners[l][i] === task));
  if (!mine.length) return 0;
  return mine.filter(w => Math.abs(w) <= size).length / mine.length;
}

// Errors over steps

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function drawChart(box, run) {
  const {steps, errors: all, marks} = run.history;
  const width = box.clientWidth, height = 230;
  const state = [steps.length, marks.length, width, isDarkGround(),
    run.method, run.settings.order.join()].join();
  if (box.dataset.state === state && box.run === run) return;
  box.dataset.state = state;
  box.run = run;
  if (!width) return;
  const right = 118, left = 40, low = height - 26, high = 22;
  const last = Math.max(run.settings.train, run.steps);
  const x = step => left + (width - left - right) * step / last;
  const worst = Math.max(0.6, ...all.flat());
  const top = Math.ceil(5 * worst - 1e-9) / 5;
  const y = error => low - (low - high) * error / top;
  const made = svg("svg", {width, height, "aria-hidden": "true"});
  for (let level = 0; level < top + 0.1; level += 0.2) {
    made.append(svg("line", {x1: left, x2: width - right, y1: y(level),
      y2: y(level), class: "grid"}),
    svg("text", {x: left - 6, y: y(level) + 4, class: "scale",
      "text-anchor": "end"}, percent(level, 0)));
  }
  marks.forEach(({at, what, task}, i) => {
    made.append(svg("line", {x1: x(at), x2: x(at), y1: high - 6, y2: low,
      class: what === "train" ? "begin" : "mark"}));
    const next = marks.slice(i + 1).find(m => m.what === "train")?.at ?? last;
    if (what === "train" && x(next) - x(at) > 8 * nameOf(run, task).length) {
      made.append(svg("text", {x: x(at) + 4, y: high - 8, class: "stage",
        fill: ink(task)}, nameOf(run, task)));
    } else if (what === "prune" && x(next) - x(at) > 40) {
      made.append(svg("text", {x: x(at) + 3, y: low + 15, class: "scale"},
        "pruned"));
    }
  });
  const ends = [];
  for (let task = 1; task <= run.current; task++) {
    const from = all.findIndex(row => row[task - 1] !== undefined);
    const path = steps.slice(from).map((step, i) => {
      const error = all[from + i][task - 1];
      return error === null ? "" : `${i ? "L" : "M"}${x(step).toFixed(1)} ${
        y(error).toFixed(1)}`;
    }).join("").replace(/^L/, "M");
    const dash = DASHES[kind(task)].join(" ");
    made.append(svg("path", {d: path, class: "line", stroke: ink(task),
      "stroke-dasharray": dash}));
    ends.push({task, error: all.at(-1)?.[task - 1] ?? null});
  }
  spread(ends.filter(end => end.error !== null && run.steps)
    .map(end => ({...end, y: y(end.error)})), 15, low)
    .forEach(({task, error, y: at}) => made.append(svg("text", {
      x: x(run.steps) + 6, y: at + 4, class: "end", fill: ink(task)},
    `${nameOf(run, task).slice(0, 10)} ${percent(error, 0)}`)));
  box.replaceChildren(made);
  box.setAttribute("aria-label", `Errors after ${whole(run.steps)} steps: `
    + ends.map(({task, error}) => `${nameOf(run, task)} ${percent(error)}`)
      .join(", "));
}

// Labels, moved apart so that none covers another, none below `low`.
function spread(labels, apart, low) {
  labels.sort((a, b) => b.y - a.y);
  let floor = low;
  for (const label of labels) {
    label.y = Math.min(label.y, floor);
    floor = label.y - apart;
  }
  return labels;
}

// Where in the whole course the run is

export function drawCourse(bar, told, run) {
  const {order, train, retrain} = run.settings;
  const packs = run.method === "packnet";
  const one = train + (packs ? retrain : 0);
  const total = order.length * train
    + (packs ? (order.length - 1) * retrain : 0);
  bar.replaceChildren(...order.map((name, i) => {
    const task = i + 1, long = packs && task < order.length ? one : train;
    const done = task < run.current ? long : task > run.current ? 0
      : run.stage === "train" ? run.at
        : run.stage === "prune" ? train : train + run.at;
    return make("span", {style: {width: `${100 * long / total}%`}},
      make("i", {style: {width: `${Math.min(100, 100 * done / long)}%`,
        background: background(task)}}));
  }));
  say(told, tellPlace(run));
  bar.setAttribute("aria-label", told.textContent);
}

export function tellPlace(run) {
  const {order} = run.settings, next = nextStage(run);
  const name = nameOf(run, run.current), last = length(run);
  if (run.diverged) {
    return `Training of ${name} has diverged: its numbers grew without end. `
      + "Choose a lower rate and start anew.";
  }
  if (isOver(run) && !next) return tellEnd(run);
  const step = last ? `, step ${whole(run.at)} of ${whole(last)}` : "";
  const then = {prune: "pruning", retrain: "retraining",
    "next task": `the next task, ${order[run.current] ?? ""}`}[next];
  return `Task ${run.current} of ${order.length}, ${name}: ${
    STAGE_NAMES[run.stage]}${step}.${isOver(run) ? ` Next: ${then}.` : ""}`;
}

// What a whole run has come to.
function tellEnd(run) {
  const now = errors(run), {length} = now;
  const lost = now.filter((error, i) => {
    const was = whenFinished(run, i + 1);
    return was !== null && error - was > 0.05;
  }).length;
  const poor = now.flatMap((error, i) => (whenFinished(run, i + 1) ?? error)
    > 0.1 ? nameOf(run, i + 1) : []);
  const told = poor.length ? `All ${length} tasks have been trained, but not `
    + `all were learnt: over a tenth of the answers were wrong for ${
      poor.join(", ")}` : `All ${length} tasks have been learnt`;
  if (run.method === "finetune" && lost) {
    return `${told}${poor.length ? "; " : ", and "}${lost} of the ${length} `
      + "forgotten. Now choose PackNet: it is trained to the same moment, "
      + "for you to compare.";
  }
  return told + (run.method !== "packnet" || lost ? "." : poor.length
    ? ". None was forgotten." : " by one network, and none was forgotten.");
}

export function drawCounter(bits, of, run) {
  const all = changes(run);
  const changed = all.reduce((sum, task) => sum + task.changed, 0);
  const total = all.reduce((sum, task) => sum + task.all, 0);
  say(bits, whole(changed));
  bits.classList.toggle("bad", changed > 0);
  say(of, total ? `of the ${whole(total)} that their answers depend on`
    : "no task is finished yet");
  return changed;
}

// All of it in words.
export function describe(run) {
  const now = errors(run), all = changes(run);
  const tasks = now.map((error, i) => {
    const name = nameOf(run, i + 1), was = whenFinished(run, i + 1);
    return was === null ? `${name}: error ${percent(error)}`
      : `${name}: error ${percent(error)}, ${percent(was)} when finished, `
        + `${whole(all[i].changed)} of its ${whole(all[i].all)} bits changed`;
  });
  const counts = countOwners(run), owners = counts.map((count, owner) =>
    count ? `${owner ? nameOf(run, owner) : "free"} ${count}` : "")
    .filter(Boolean);
  return `${METHOD_NAMES[run.method]}. ${tasks.join(". ")}. Weights: ${
    owners.join(", ")}.`;
}

