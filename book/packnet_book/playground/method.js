// PackNet on a network of two hidden layers, and nothing else: no drawing.
//
// Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network by
// Iterative Pruning", arXiv:1711.05769. A task has a number, from 1. Arrays
// are rows of float64: weights (out, in), as torch keeps them.

import {exp, tanh, uniform} from "./numbers.js";

export const FREE = 0, INPUTS = 2, CLASSES = 2;
const BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8;
const TRUNK = 4; // of `parameters`; what follows is the head
const DECAY = 0.02; // of the weight-decay trap, times the rate

// A network without tasks; all its weights are free.
export function makeNetwork(hidden, activation, random) {
  const sizes = [INPUTS * hidden, hidden * hidden];
  const bounds = [1 / Math.sqrt(INPUTS), 1 / Math.sqrt(hidden)];
  const weights = [], biases = []; // drawn as torch.nn.Linear does
  bounds.forEach((bound, layer) => {
    weights.push(Float64Array.from({length: sizes[layer]},
      () => uniform(random, -bound, bound)));
    biases.push(Float64Array.from({length: hidden},
      () => uniform(random, -bound, bound)));
  });
  return {
    hidden, activation, weights, biases, heads: [],
    owners: sizes.map(size => new Uint8Array(size)),
    stale: sizes.map(size => new Float64Array(size)), // before pruning
  };
}

export function addHead(network, task, random) {
  const {hidden} = network, bound = 1 / Math.sqrt(hidden);
  const some = length =>
    Float64Array.from({length}, () => uniform(random, -bound, bound));
  network.heads[task] = {weight: some(CLASSES * hidden), bias: some(CLASSES)};
}

// Give every free weight to a task, from zero. The first task takes the
// weights as they are.
export function handOver(network, task, traps = {}, first = task === 1) {
  network.owners.forEach((owner, layer) => {
    const weight = network.weights[layer], stale = network.stale[layer];
    for (let i = 0; i < owner.length; i++) {
      if (owner[i] !== FREE) continue;
      owner[i] = task;
      if (!first) weight[i] = traps.stale ? stale[i] : 0;
    }
  });
}

// Which weights a task sees.
export const visible = (owner, task) => owner > FREE && owner <= task;

// Rows of numbers that are used again and again: training makes no garbage.
const rows = new Map();

export function room(name, length) {
  const key = length * 16 + name;
  if (!rows.has(key)) {
    if (rows.size > 200) rows.clear();
    rows.set(key, new Float64Array(length));
  }
  return rows.get(key);
}
const FIRST = 0, SECOND = 1, LOGITS = 2, OF_LOGITS = 3, OF_FIRST = 4,
  OF_SECOND = 5, SEEN = 6; // and 7: two layers
export const INPUT_BATCH = 8, LABEL_BATCH = 9;

// The two layers as a task sees them: zero where later tasks or none own.
export function view(network, task, make = length =>
  new Float64Array(length)) {
  return network.weights.map((weight, layer) => {
    const owner = network.owners[layer], seen = make(weight.length, layer);
    for (let i = 0; i < owner.length; i++) {
      seen[i] = visible(owner[i], task) ? weight[i] : 0;
    }
    return seen;
  });
}

const glance = (network, task) =>
  view(network, task, (length, layer) => room(SEEN + layer, length));

function linear(outputs, inputs, count, weight, bias) {
  const outs = bias.length, ins = weight.length / outs | 0;
  for (let n = 0, to = 0; n < count; n++) {
    const at = n * ins;
    for (let o = 0, w = 0; o < outs; o++) {
      let sum = bias[o];
      for (let i = 0; i < ins; i++, w++) sum += inputs[at + i] * weight[w];
      outputs[to++] = sum;
    }
  }
  return outputs;
}

function activate(values, activation) {
  if (activation === "relu") {
    for (let i = 0; i < values.length; i++) {
      if (values[i] < 0) values[i] = 0;
    }
  } else {
    for (let i = 0; i < values.length; i++) values[i] = tanh(values[i]);
  }
  return values;
}

// Logits (count, 2) of one task, with the layers' outputs on the way. They
// are good until the next call.
export function forward(network, task, inputs, seen = glance(network, task)) {
  const count = inputs.length / INPUTS | 0;
  const {biases, activation, hidden} = network, head = network.heads[task];
  const first = linear(room(FIRST, count * hidden), inputs, count, seen[0],
    biases[0]);
  activate(first, activation);
  const second = linear(room(SECOND, count * hidden), first, count, seen[1],
    biases[1]);
  activate(second, activation);
  const logits = linear(room(LOGITS, count * CLASSES), second, count,
    head.weight, head.bias);
  return {first, second, logits, seen};
}

// Mean cross-entropy of the logits, and its gradient.
function crossEntropy(logits, labels) {
  const count = labels.length, gradient = room(OF_LOGITS, logits.length);
  let loss = 0;
  for (let n = 0; n < count; n++) {
    const right = 2 * n + labels[n], wrong = 2 * n + 1 - labels[n];
    const margin = logits[right] - logits[wrong];
    const missing = 1 / (1 + exp(margin)); // 1 - probability of the right
    gradient[right] = -missing / count;
    gradient[wrong] = missing / count;
    loss -= Math.log(Math.max(1 - missing, 1e-300));
  }
  return {loss: loss / count, gradient};
}

// Gradients of a layer's weight and bias, from that of its outputs.
function ofParameters(gradient, inputs, outs, weight, bias) {
  const ins = weight.length / outs | 0;
  const count = gradient.length / outs | 0;
  weight.fill(0);
  bias.fill(0);
  for (let n = 0, from = 0; n < count; n++) {
    const at = n * ins;
    for (let o = 0, w = 0; o < outs; o++) {
      const g = gradient[from++];
      bias[o] += g;
      for (let i = 0; i < ins; i++, w++) weight[w] += g * inputs[at + i];
    }
  }
}

// Gradient of a layer's inputs, before their activation.
function ofInputs(result, gradient, weight, outs, inputs, activation) {
  const ins = weight.length / outs | 0;
  const count = gradient.length / outs | 0;
  const relu = activation === "relu";
  result.fill(0);
  for (let n = 0, from = 0; n < count; n++) {
    const at = n * ins;
    for (let o = 0, w = 0; o < outs; o++) {
      const g = gradient[from++];
      for (let i = 0; i < ins; i++, w++) result[at + i] += g * weight[w];
    }
    for (let i = at; i < at + ins; i++) {
      const y = inputs[i];
      if (!relu) result[i] *= 1 - y * y;
      else if (y <= 0) result[i] = 0;
    }
  }
  return result;
}

// Loss on a batch; fills `gradients`, an array for each of `parameters`.
export function backward(network, task, inputs, labels, gradients) {
  const {hidden, activation} = network;
  const {first, second, logits, seen} = forward(network, task, inputs);
  const {loss, gradient} = crossEntropy(logits, labels);
  const [first0, bias0, first1, bias1, head, headBias] = gradients;
  ofParameters(gradient, second, CLASSES, head, headBias);
  const ofSecond = ofInputs(room(OF_SECOND, second.length), gradient,
    network.heads[task].weight, CLASSES, second, activation);
  ofParameters(ofSecond, first, hidden, first1, bias1);
  const ofFirst = ofInputs(room(OF_FIRST, first.length), ofSecond, seen[1],
    hidden, first, activation);
  ofParameters(ofFirst, inputs, hidden, first0, bias0);
  return loss;
}

// What training may touch: two layers, then the head of a task.
export function parameters(network, task) {
  const {weights, biases, heads} = network;
  return [weights[0], biases[0], weights[1], biases[1],
    heads[task].weight, heads[task].bias];
}

export const zerosLike = arrays =>
  arrays.map(array => new Float64Array(array.length));

export function makeOptimiser(kind, network, task) {
  const arrays = parameters(network, task);
  return {kind, power1: 1, power2: 1, mean: zerosLike(arrays),
    square: zerosLike(arrays), gradients: zerosLike(arrays),
    may: arrays.map(array => new Uint8Array(array.length))};
}

// Mark in `may` which numbers may change, by method; heads always may.
// PackNet: the task's own weights; biases with the first task.
function markChanging(may, network, task, method, first, traps) {
  const whole = first || method === "finetune" || method === "separate";
  for (let place = 0; place < may.length; place++) {
    const owner = network.owners[place / 2];
    if (method === "packnet" && owner) {
      for (let i = 0; i < owner.length; i++) {
        may[place][i] = owner[i] === task ? 1 : 0;
      }
    } else {
      const free = method === "packnet" && traps.biases;
      may[place].fill(whole || free || place >= TRUNK ? 1 : 0);
    }
  }
}

// One step of an optimiser. What may not change is passed over. With the
// traps only its gradient is zero: momentum and decay go on.
function step(optimiser, arrays, rate, traps) {
  const {kind, mean, square, gradients, may} = optimiser;
  optimiser.power1 *= BETA1;
  optimiser.power2 *= BETA2;
  const size = rate / (1 - optimiser.power1);
  const root = Math.sqrt(1 - optimiser.power2);
  const leaks = traps.momentum || traps.decay;
  for (let place = 0; place < arrays.length; place++) {
    const array = arrays[place], gradient = gradients[place];
    const m = mean[place], v = square[place], moves = may[place];
    for (let i = 0; i < array.length; i++) {
      const fixed = moves[i] === 0;
      if (fixed && !leaks) continue;
      const g = fixed ? 0 : gradient[i];
      if (traps.decay && place < TRUNK) array[i] -= rate * DECAY * array[i];
      if (kind === "adam") {
        m[i] = BETA1 * m[i] + (1 - BETA1) * g;
        v[i] = BETA2 * v[i] + (1 - BETA2) * g * g;
        array[i] -= size * (m[i] / (Math.sqrt(v[i]) / root + EPSILON));
      } else if (kind === "momentum") {
        m[i] = BETA1 * m[i] + g;
        array[i] -= rate * m[i];
      } else {
        array[i] -= rate * g;
      }
    }
  }
}

// Train one task on one batch. Returns the loss before the step.
export function train(network, task, batch, optimiser, rule) {
  const {method, first, rate, traps = {}} = rule;
  const loss = backward(network, task, batch.inputs, batch.labels,
    optimiser.gradients);
  markChanging(optimiser.may, network, task, method, first, traps);
  step(optimiser, parameters(network, task), rate, traps);
  return loss;
}

// As Python rounds: halves to the even neighbour.
export function roundHalfEven(x) {
  const low = Math.floor(x), rest = x - low;
  if (rest === 0.5) return low % 2 ? low + 1 : low;
  return rest > 0.5 ? low + 1 : low;
}

// The magnitude up to which a task's weights are freed: the
// round(fraction * n)-th smallest of its n; null if that is the zeroth.
export function cutoff(weights, owners, task, fraction) {
  const sizes = [];
  weights.forEach((weight, layer) => {
    weight.forEach((w, i) => {
      if (owners[layer][i] === task) sizes.push(Math.abs(w));
    });
  });
  const rank = roundHalfEven(fraction * sizes.length);
  return rank ? Float64Array.from(sizes).sort()[rank - 1] : null;
}

// The cutoff of each layer, or (a trap) one for all.
export function cutoffs(network, task, fraction, traps = {}) {
  const {weights, owners} = network;
  const each = weights.map((weight, layer) =>
    cutoff([weight], [owners[layer]], task, fraction));
  const one = cutoff(weights, owners, task, fraction);
  return traps.global ? each.map(() => one) : each;
}

// Free the smallest weights of a task, layer by layer: they become zero.
// Ties at the cutoff are freed too. Returns how many.
export function prune(network, task, fraction, traps = {}) {
  let freed = 0;
  cutoffs(network, task, fraction, traps).forEach((limit, layer) => {
    if (limit === null) return;
    const weight = network.weights[layer], owner = network.owners[layer];
    for (let i = 0; i < weight.length; i++) {
      if (owner[i] !== task || Math.abs(weight[i]) > limit) continue;
      network.stale[layer][i] = weight[i];
      weight[i] = 0;
      owner[i] = FREE;
      freed++;
    }
  });
  return freed;
}

// How many weights are free, of task 1, of task 2, …
export function shares(network, tasks) {
  const counts = new Array(tasks + 1).fill(0);
  for (const owner of network.owners) for (const o of owner) counts[o]++;
  return counts;
}

// Share of wrong answers; a network that diverged has none.
export function error(network, task, points, seen) {
  const {logits} = forward(network, task, points.inputs, seen);
  let wrong = 0;
  for (let n = 0; n < points.labels.length; n++) {
    const margin = logits[2 * n + 1] - logits[2 * n];
    if (!Number.isFinite(margin)) return null;
    if ((margin > 0 ? 1 : 0) !== points.labels[n]) wrong++;
  }
  return wrong / points.labels.length;
}

// All that a task's answers depend on, copied.
export function keep(network, task) {
  const copy = array => Float64Array.from(array), head = network.heads[task];
  return [...view(network, task), ...network.biases.map(copy),
    copy(head.weight), copy(head.bias)];
}

// How many bits of it are different now, and of how many.
export function bitsChanged(kept, network, task) {
  let changed = 0, all = 0;
  keep(network, task).forEach((now, place) => {
    const old = new Uint32Array(kept[place].buffer);
    const present = new Uint32Array(now.buffer);
    for (let i = 0; i < old.length; i++) {
      let differing = old[i] ^ present[i];
      for (; differing; differing &= differing - 1) changed++;
    }
    all += 32 * old.length;
  });
  return {changed, all};
}
