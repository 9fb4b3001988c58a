// A run as plain values, to the bit, and back: for a file, for the address,
// and for Python. Names and shapes of the network are torch's.

import {METHODS, changes, errors, makeRun} from "./run.js";
import {makeOptimiser} from "./method.js";
import {refusal} from "./tasks.js";

export const FORMAT = "packnet playground 1";
const LAYERS = ["0", "2"]; // of nn.Sequential(Linear, act, Linear, act)

const inRows = (array, outs) => Array.from({length: outs}, (_, o) =>
  Array.from(array.slice(o * array.length / outs,
    (o + 1) * array.length / outs)));
const plain = arrays => arrays.map(array => Array.from(array));

function ofNetwork({hidden, weights, biases, owners, stale, heads}) {
  const trunk = {}, owner = {};
  LAYERS.forEach((name, i) => {
    trunk[`${name}.weight`] = inRows(weights[i], hidden);
    trunk[`${name}.bias`] = Array.from(biases[i]);
    owner[`${name}.weight`] = inRows(owners[i], hidden);
  });
  return {
    trunk, owner, stale: plain(stale),
    heads: Object.fromEntries(Object.entries(heads).map(([task, head]) =>
      [task, {weight: inRows(head.weight, 2), bias: plain([head.bias])[0]}])),
  };
}

export function toState(run) {
  const {settings, method, current, stage, at, steps, history} = run;
  const {kind, power1, power2, mean, square} = run.optimiser;
  const pruned = task => task < current
    || (task === current && stage !== "train");
  return {
    format: FORMAT, settings, method, current, stage, at, steps,
    tasks: settings.order.slice(0, current).map((name, i) => ({
      name,
      fractions: method === "packnet" && pruned(i + 1)
        ? [settings.fractions[i] ?? 0.5] : [],
    })),
    networks: run.networks.map(ofNetwork),
    optimiser: {kind, power1, power2, mean: plain(mean),
      square: plain(square)},
    random: Array.from(run.random), kept: run.kept.map(plain), history,
  };
}

const flat = rows => Float64Array.from(rows.flat());

function fromNetwork(network, {trunk, owner, stale, heads}) {
  LAYERS.forEach((name, i) => {
    network.weights[i].set(flat(trunk[`${name}.weight`]));
    network.biases[i].set(trunk[`${name}.bias`]);
    network.owners[i].set(owner[`${name}.weight`].flat());
    network.stale[i].set(stale[i]);
  });
  network.heads = [];
  for (const [task, {weight, bias}] of Object.entries(heads)) {
    network.heads[task] = {weight: flat(weight),
      bias: Float64Array.from(bias)};
  }
}

// Throws an Error for what is no state of a playground.
export function fromState(state, defaults) {
  if (state?.format !== FORMAT) throw new Error("this is no playground");
  const settings = checked({...defaults, ...state.settings}, defaults);
  const method = METHODS.includes(state.method) ? state.method : "packnet";
  const run = makeRun(settings, method);
  state.networks.forEach((network, i) => {
    run.networks[i] ??= makeRun(settings, method).networks[0];
    fromNetwork(run.networks[i], network);
  });
  const {current, stage, at, steps, history} = state;
  const kept = state.kept.map(arrays =>
    arrays.map(array => Float64Array.from(array)));
  Object.assign(run, {current, stage, at, steps, history, kept,
    random: Uint32Array.from(state.random)});
  const network = run.networks[method === "separate" ? current - 1 : 0];
  const {kind, power1, power2, mean, square} = state.optimiser;
  run.optimiser = makeOptimiser(kind, network, current);
  Object.assign(run.optimiser, {power1, power2});
  run.optimiser.mean.forEach((array, i) => array.set(mean[i]));
  run.optimiser.square.forEach((array, i) => array.set(square[i]));
  if (history.steps.length !== history.errors.length || !history.marks.length
    || !Array.isArray(history.leaks)
    || errors(run).length !== current || changes(run).length >= current) {
    throw new Error("this playground's history does not fit its network");
  }
  return run;
}

// Settings come from an address that anybody may write.
const RANGES = {
  hidden: [4, 16], rate: [0, 1], batch: [1, 256], train: [1, 5000],
  retrain: [1, 5000], retrainRate: [0, 1], points: [4, 5000],
  fresh: [1, 5000], noise: [0, 1], seed: [1, 9999],
};
const CHOICES = {
  activation: ["tanh", "relu"], optimiser: ["adam", "momentum", "sgd"],
};

function checked(settings, defaults) {
  const {own = {}, order, fractions} = settings;
  const inside = (value, [low, high]) => typeof value === "number"
    && value >= low && value <= high;
  const known = name => name in own || defaults.order.includes(name);
  const good = Object.entries(RANGES).every(([name, range]) =>
    inside(settings[name], range))
    && Object.entries(CHOICES).every(([name, all]) =>
      all.includes(settings[name]))
    && fractions.every(share => inside(share, [0, 0.99]))
    && order.length <= 8 && order.every(known)
    && Object.values(own).every(rows => !refusal(rows)
      && rows.flat().every(Number.isFinite));
  if (!good) throw new Error("these settings are not those of a playground");
  return structuredClone(settings);
}

// Plain values as letters that an address may hold, and back.
export async function pack(value) {
  const text = new Blob([JSON.stringify(value)]);
  const bytes = await through(text, new CompressionStream("deflate-raw"));
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_")
    .replace(/=/g, "");
}

export async function unpack(letters) {
  const text = atob(letters.replace(/-/g, "+").replace(/_/g, "/"));
  const bytes = Uint8Array.from(text, letter => letter.charCodeAt(0));
  const whole = await through(new Blob([bytes]),
    new DecompressionStream("deflate-raw"));
  return JSON.parse(new TextDecoder().decode(whole));
}

const through = async (blob, change) => new Uint8Array(
  await new Response(blob.stream().pipeThrough(change)).arrayBuffer());
