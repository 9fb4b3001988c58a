// A run: four tasks in turn by one method, stage by stage.
//
// Stages of a task: train, then under PackNet prune and retrain, unless it
// is the last task. Everything a run does follows from its settings.

import {
  INPUT_BATCH, LABEL_BATCH, addHead, bitsChanged, error, handOver, keep,
  makeNetwork, makeOptimiser, prune, room, train,
} from "./method.js";
import {below, stream} from "./numbers.js";
import {drawPoints, ownPoints} from "./tasks.js";

export const METHODS = ["packnet", "finetune", "heads", "separate"];
const EVERY = 25; // steps between two looks at all errors

export function makeRun(settings, method = settings.method) {
  const {hidden, activation, seed} = settings;
  const run = {
    settings, method, networks: [], current: 1, stage: "train", at: 0,
    steps: 0, optimiser: null, random: null, kept: [], diverged: false,
    history: {steps: [], errors: [], marks: [], leaks: []}, recorded: true,
  };
  const random = stream("network", seed, 1);
  run.networks.push(makeNetwork(hidden, activation, random));
  beginTask(run);
  return run;
}

export const nameOf = (run, task) => run.settings.order[task - 1];

export const networkOf = (run, task) =>
  run.networks[run.method === "separate" ? task - 1 : 0];

const drawn = new Map(); // the points are drawn once

// The points of a task: "train" to learn, "test" to measure.
export function pointsOf(settings, name, use) {
  const own = settings.own?.[name];
  const {noise, seed, points, fresh} = settings;
  const count = use === "train" ? points : fresh;
  const key = own ?? [name, count, noise, seed, use].join("/");
  if (!drawn.has(key)) {
    if (drawn.size > 64) drawn.clear();
    drawn.set(key, own ? ownPoints(own)
      : drawPoints(name, count, noise, seed, use));
  }
  return drawn.get(key);
}

function beginTask(run) {
  const {current, settings, method} = run, name = nameOf(run, current);
  const {hidden, activation, seed, traps} = settings;
  if (method === "separate" && current > 1) {
    const random = stream("network", seed, current);
    run.networks.push(makeNetwork(hidden, activation, random));
  }
  const network = networkOf(run, current);
  handOver(network, current, traps, isFirst(run));
  addHead(network, current, stream("head", name, seed));
  beginStage(run, "train");
}

const isFirst = run => run.current === 1 || run.method === "separate";

// Each stage has a fresh optimiser, except where momentum is let through.
function beginStage(run, stage) {
  const {settings, current} = run, former = run.optimiser;
  run.stage = stage;
  run.at = 0;
  run.random = stream("batches", settings.seed, nameOf(run, current), stage);
  run.optimiser =
    makeOptimiser(settings.optimiser, networkOf(run, current), current);
  if (settings.traps.momentum && former && run.method !== "separate") {
    const {mean, square, power1, power2} = former;
    for (let place = 0; place < 4; place++) {
      run.optimiser.mean[place].set(mean[place]);
      run.optimiser.square[place].set(square[place]);
    }
    Object.assign(run.optimiser, {power1, power2});
  }
  mark(run, stage);
}

function mark(run, what) {
  run.history.marks.push({at: run.steps, what, task: run.current});
  record(run);
}

// The error of each task so far; null where a network diverged.
export const errors = once(run => Array.from({length: run.current},
  (_, i) => error(networkOf(run, i + 1), i + 1,
    pointsOf(run.settings, nameOf(run, i + 1), "test"))));

// The error of a finished task when it was finished.
export function whenFinished(run, task) {
  const {marks, steps, errors: all} = run.history;
  const begun = marks.find(m => m.what === "train" && m.task === task + 1);
  if (!begun) return null;
  const look = steps.lastIndexOf(begun.at);
  return all[look]?.[task - 1] ?? null;
}

// Bits of finished tasks that have changed since they were finished.
export const changes = once(run => run.kept.map((kept, i) =>
  bitsChanged(kept, networkOf(run, i + 1), i + 1)));

// A question about a run, asked once between two of its steps.
function once(question) {
  const known = new WeakMap();
  return run => {
    const now = [run.steps, run.current, run.stage].join();
    if (known.get(run)?.now !== now) {
      known.set(run, {now, answer: question(run)});
    }
    return known.get(run).answer;
  };
}

function record(run) {
  if (!run.recorded) return;
  run.history.steps.push(run.steps);
  run.history.errors.push(errors(run));
  changes(run).forEach(({changed}, i) => {
    if (changed) run.history.leaks[i] ??= run.steps;
  });
}

// How many steps the present stage has.
export const length = run =>
  run.stage === "prune" ? 0 : run.settings[run.stage];

export const isOver = run => run.diverged || run.at >= length(run);

// The stage after the present one, or null after the last.
export function nextStage(run) {
  const {settings, method, stage, current, diverged} = run;
  if (diverged || current >= settings.order.length) return null;
  if (method === "packnet" && stage === "train") return "prune";
  if (stage === "prune" && !settings.traps.hasty) return "retrain";
  return "next task";
}

function enter(run, stage) {
  if (stage === "prune") {
    mark(run, "prune");
    run.stage = "prune";
    run.at = 0;
    prune(networkOf(run, run.current), run.current, fraction(run),
      run.settings.traps);
    record(run);
  } else if (stage === "retrain") {
    beginStage(run, "retrain");
  } else {
    run.kept.push(keep(networkOf(run, run.current), run.current));
    run.current++;
    beginTask(run);
  }
}

export const fraction = (run, task = run.current) =>
  run.settings.fractions[task - 1] ?? 0.5;

export function nextBatch(run) {
  const {settings, random} = run;
  const points = pointsOf(settings, nameOf(run, run.current), "train");
  const count = points.labels.length, {batch} = settings;
  const inputs = room(INPUT_BATCH, 2 * batch);
  const labels = room(LABEL_BATCH, batch);
  for (let n = 0; n < batch; n++) {
    const i = below(random, count);
    inputs[2 * n] = points.inputs[2 * i];
    inputs[2 * n + 1] = points.inputs[2 * i + 1];
    labels[n] = points.labels[i];
  }
  return {inputs, labels};
}

// One training step, or where a stage is over, the way into the next.
// Returns false where there is nothing left to do.
export function advance(run) {
  if (isOver(run)) {
    const stage = nextStage(run);
    if (stage) enter(run, stage);
    return stage !== null;
  }
  const {settings, method, stage, current} = run;
  if (run.optimiser.kind !== settings.optimiser) {
    run.optimiser =
      makeOptimiser(settings.optimiser, networkOf(run, current), current);
  }
  const slower = stage === "retrain" ? settings.retrainRate : 1;
  const loss = train(networkOf(run, current), current, nextBatch(run),
    run.optimiser, {
      method, first: isFirst(run), rate: settings.rate * slower,
      traps: settings.traps,
    });
  run.at++;
  run.steps++;
  if (!Number.isFinite(loss)) run.diverged = true;
  if (run.at % EVERY === 0 || isOver(run)) record(run);
  return true;
}

// Errors in the end of a whole run, without a look on the way.
export function wholeDraw(settings, method) {
  const run = makeRun(settings, method);
  run.recorded = false;
  while (advance(run));
  return errors(run);
}

// Is a run at an earlier place than (task, stage, step)?
const STAGES = ["train", "prune", "retrain"];

export function isBehind(run, place) {
  const stage = STAGES.indexOf(place.stage);
  const here = STAGES.indexOf(run.stage);
  if (run.current !== place.current) return run.current < place.current;
  if (here !== stage) {
    return here < stage && (nextStage(run) !== "next task" || !isOver(run))
      && (nextStage(run) !== null || !isOver(run));
  }
  return run.at < place.at && !isOver(run);
}
