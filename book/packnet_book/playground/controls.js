// What the reader does, and what follows from it.

import {makeExchange, takeAddress} from "./exchange.js";
import {MISSIONS} from "./missions.js";
import {makePad} from "./pad.js";
import {makeCutPointer, makeNetworkPointer} from "./pointing.js";
import {
  METHODS, advance, changes, errors, fraction, isBehind, isOver, makeRun,
  nameOf, nextStage, whenFinished,
} from "./run.js";
import {fromState} from "./state.js";
import {makeDraws} from "./table.js";
import {
  METHODS_TOLD, METHOD_NAMES, describe, drawChart, drawCounter, drawCourse,
  drawNetwork, drawOwners, drawPanels, drawSizes, makePanels, percent,
  prunesAgain, say, tellPlace, tellWeight,
} from "./view.js";

const DATA = JSON.parse(element("data").textContent);
const SLICE = 8; // milliseconds of computing at a time
const TRAPS = {
  biases: ["Biases left free", "Later tasks train the biases, too, which all "
    + "tasks share. Leaks.", true],
  momentum: ["Momentum carried over", "One optimiser for all stages. Fixed "
    + "weights have a gradient of zero, but still roll on. Leaks.", true],
  decay: ["Weight decay on all weights", "The optimiser shrinks fixed "
    + "weights at every step. Leaks.", true],
  global: ["One cutoff for both layers", "The layer with the smaller weights "
    + "loses most of them. Costs room.", false],
  stale: ["Old values handed over", "Freed weights come back with the value "
    + "they had, not as zeros. Costs accuracy, if anything.", false],
  hasty: ["No retraining", "The next task follows right after pruning. Costs "
    + "accuracy, and it stays lost.", false],
};

const asOpened = method =>
  ({...structuredClone(DATA.defaults), own: {}, method});

let settings = asOpened("finetune");
let lanes = {}; // one run a method, each as far as it was trained
let viewed = 0, pointed = null;
let goal = null; // {until, each}: what is being trained towards
let due = 0; // the parts of the picture that were asked for
let brought = false; // the run was trained to where another one was
let mission = 0;
const answers = {}, reached = new Map(); // mission: its outcome
const session = newSession();
const still = matchMedia("(prefers-reduced-motion: reduce)");

const run = () => lanes[settings.method] ??= makeRun(settings);

// Runs in different orders are compared where nothing else differs.
const allButOrder = () =>
  JSON.stringify({...settings, order: null, method: null});

function newSession() {
  const drawn = new Map();
  return {
    worst: {}, leaked: false, freed: null, drawn,
    orders: () => [...drawn.values()]
      .filter(({rest}) => rest === allButOrder())
      .sort((a, b) => a.mean - b.mean),
  };
}

// Training, in slices, so that the page stays alive

function pursue(until, each = Infinity) {
  goal = {until, each};
  showPlaying();
  goOn();
}

// The next slice. While it plays, a picture comes first, in a task of its
// own. One slice is planned at a time, however often the goal changes.
let unplan = () => {};

function goOn(wait = 0) {
  unplan();
  let frame = 0, timer = 0;
  const plan = () => timer = setTimeout(pursueOn, wait);
  if (playsInTurns()) {
    frame = requestAnimationFrame(() => {
      show(otherPart());
      plan();
    });
  } else plan();
  unplan = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}

// While it plays, the network and all the rest are drawn in turn: half of the
// work for each picture.
const NETWORK = 1, OTHERS = 2, ALL = 3;
let quietSince = 0, shown = NETWORK;
const otherPart = () => shown = ALL - shown;

function pursueOn() {
  if (!goal) return;
  const begun = performance.now(), here = run(), mine = goal;
  const stage = here.stage, {current} = here;
  let count = 0, over = false;
  while (count < mine.each && performance.now() - begun < SLICE) {
    over = mine.until(here) || !advance(here);
    if (over) break;
    count++;
  }
  const changed = here.stage !== stage || here.current !== current;
  if (over) goal = null;
  if (changed || over) noticed();
  if (over || changed || begun - quietSince > 400 && mine.each === Infinity
    && !still.matches) {
    quietSince = begun;
    ask();
  }
  if (over) showPlaying();
  if (over || changed && mine.each < Infinity) tellStage();
  if (over) return;
  const slowly = still.matches && changed && mine.each < Infinity;
  goOn(slowly ? 1500 : 0); // without motion: stage after stage
}

// Train to the end of what was begun, at once. For tests.
function settle() {
  while (goal) {
    const mine = goal, here = run();
    while (!mine.until(here) && advance(here));
    if (goal === mine) goal = null;
    noticed();
  }
  showPlaying();
}

const pause = () => {
  goal = null;
  element("told").classList.add("hidden");
  brought = false;
  showPlaying();
  ask(); // what was drawn in turn
};

const each = () => still.matches ? 100000 : +element("speed").value;
const atEnd = here => isOver(here) && !nextStage(here);

const act = {
  play() {
    if (goal) return pause();
    if (atEnd(run())) act.anew();
    pursue(() => false, each());
  },
  step() {
    pause();
    advance(run());
    after();
  },
  stage() {
    pause();
    const here = run();
    if (isOver(here)) advance(here);
    pursue(isOver, Math.max(each(), here.settings.train / 60));
  },
  draw() {
    pause();
    if (atEnd(run())) act.anew();
    pursue(() => false);
  },
  anew() {
    pause();
    lanes = {};
    pointed = null;
    after();
  },
  method(name) {
    const {current, stage, at} = run(), there = {current, stage, at};
    const playing = goal !== null && goal.each < Infinity;
    pause();
    settings.method = name;
    if ((current > 1 || at > 0) && isBehind(run(), there)) {
      brought = true;
      pursue(here => {
        if (isBehind(here, there)) return false;
        if (playing) goal.each = each(); // and plays on
        return !playing;
      });
    } else if (playing) pursue(() => false, each());
    after();
  },
  view(task) {
    viewed = task;
    ask();
  },
  point(weight) {
    pointed = weight;
    ask();
  },
};

// What comes after a change: other settings may need another start.

function change(names, restart = true) {
  Object.assign(settings, names);
  if (restart) act.anew();
  else after();
}

function after() {
  noticed();
  ask();
}

function noticed() {
  note(run());
  checkMission();
  makeReady(run());
}

// What the session remembers.
function note(here) {
  const bits = changes(here);
  const leaks = bits.some(({changed}) => changed > 0);
  if (here.method === "packnet" && leaks) session.leaked = true;
  const now = errors(here), before = here.kept.length;
  const worst = Math.max(0, ...now.slice(0, before));
  session.worst[here.method] =
    Math.max(session.worst[here.method] ?? 0, worst);
  if (here.method !== "packnet") return;
  if (here.current === 1 && here.stage === "retrain" && isOver(here)) {
    const mark = here.history.marks.find(m => m.what === "prune");
    const look = here.history.steps.indexOf(mark.at);
    session.freed = {share: fraction(here), now: now[0],
      was: here.history.errors[look][0]};
  }
  if (atEnd(here) && !here.diverged) {
    const order = [...settings.order], rest = allButOrder();
    const mean = now.reduce((sum, e) => sum + e, 0) / now.length;
    session.drawn.set(order.join(), {order, mean, rest});
  }
}

// What the next key may be meant for. This does not wait for a picture: on a
// slow machine the key comes first, and a slider still hidden loses it.
function makeReady(here) {
  element("cut-handle").hidden = !prunesAgain(here);
  element("fraction").disabled = here.method !== "packnet";
  const task = cutTask(here), share = fraction(here, task);
  element("fraction").value = share;
  put("cut-label", `Share of the weights of ${nameOf(here, task)
    ?? "the next task"} to free: ${percent(share, 0)}`);
  const {hidden} = here.networks[0];
  element("walk").max = hidden * (hidden + 2);
  const answered = answers[mission] !== undefined;
  const done = reached.has(mission);
  element("mission-set").hidden = !answered || done;
  element("mission-next").hidden = !done || nextMission() < 0;
  showOrder();
}

// Pictures: half of one a frame. While it plays, the next two show what was
// asked for.

const playsInTurns = () => goal?.each < Infinity && !still.matches;

function ask() {
  if (!due) requestAnimationFrame(showDue);
  due = ALL;
}

function showDue() {
  if (playsInTurns()) due = 0;
  if (!due) return;
  const part = due === ALL ? otherPart() : due;
  due -= part;
  if (due) requestAnimationFrame(showDue);
  show(part);
}

function show(what = ALL) {
  const here = run(), panels = element("panels");
  const wanted = settings.order.join();
  if (panels.dataset.order !== wanted) {
    panels.dataset.order = wanted;
    makePanels(panels, settings, act);
  }
  // Pictures first, texts after them: each is laid out once.
  const whole = document.body.dataset.form === "whole";
  if (what & NETWORK) {
    drawNetwork(element("network"), here, viewed, pointed, Boolean(goal));
  }
  if (!(what & OTHERS)) return;
  if (whole) drawChart(element("chart"), here);
  drawPanels(panels, here, viewed, lastErrors(here), Boolean(goal));
  const frees = whole
    ? drawSizes(element("sizes"), element("cut-told"), here) : null;
  drawOwners(element("owners"), element("keys"), here);
  drawCounter(element("bits"), element("bits-of"), here);
  drawCourse(element("course"), element("place"), here);
  showControls(here, frees);
}

// While it plays, the errors of the last look are good enough.
const lastErrors = here => goal ? here.history.errors.at(-1) : errors(here);

const put = (id, text) => say(element(id), text);

function showControls(here, frees) {
  makeReady(here);
  showPlaying();
  for (const radio of document.getElementsByName("method")) {
    radio.checked = radio.value === settings.method;
  }
  put("method-told", METHODS_TOLD[settings.method] + (brought
    ? " Trained to the same moment, for you to compare." : ""));
  put("network-title", viewed && viewed <= here.current
    ? `The network as ${nameOf(here, viewed)} sees it` : "The network");
  put("pointed", pointed ? tellWeight(here, pointed, viewed)
    : "Point at a line, or at a task.");
  element("walk").ariaValueText = element("pointed").textContent;
  if (!goal) element("network").setAttribute("aria-label", describe(here));
  put("owner-title", here.method === "packnet" || here.method === "separate"
    ? "Who owns the weights" : "Who trained the weights last");
  element("fraction").ariaValueText = `${
    percent(fraction(here, cutTask(here)), 0)}${frees ? `, ${frees}` : ""}`;
  for (const name of ["hidden", "activation", "optimiser", "rate", "noise",
    "seed"]) {
    const control = element(name), {type} = control;
    const held = control === document.activeElement && type === "number"
      || type === "range" && control.matches(":active"); // it is dragged
    if (!held) control.value = settings[name];
  }
  put("hidden-told", String(settings.hidden));
  put("noise-told", settings.noise.toFixed(2));
  showTraps(here);
  showMission(here);
}

// The task that the handle is for: the one that is pruned next.
const cutTask = here => here.current + (here.stage === "train" ? 0 : 1);

function showPlaying() {
  put("play", goal ? "Pause" : atEnd(run()) ? "Play again" : "Play");
  document.body.classList.toggle("busy", Boolean(goal));
}

// Said at the end of each stage; shown only to those who ask, and no longer
// than it is true.
function tellStage() {
  element("told").classList.add("hidden");
  put("told", `${tellPlace(run())} ${describe(run())}`);
}

function tellOnDemand() {
  tellStage();
  element("told").classList.remove("hidden");
}

// Order of tasks

function showOrder() {
  const list = element("order"), wanted = settings.order.join();
  if (list.dataset.order === wanted) return;
  list.dataset.order = wanted;
  list.replaceChildren(...settings.order.map((name, i) => {
    const move = (by, text) => make("button", {
      textContent: text, disabled: !(i + by in settings.order),
      ariaLabel: `${name} ${by < 0 ? "earlier" : "later"}`,
      onclick: () => {
        swapTasks(i, i + by);
        const to = element("order").children[i + by];
        const button = to.querySelectorAll("button")[by < 0 ? 0 : 1];
        (button.disabled ? to.querySelector("button:enabled") : button)
          .focus();
      },
    });
    const drop = name in settings.own ? [make("button", {
      textContent: "Remove", ariaLabel: `Remove ${name}`,
      onclick: () => removeTask(name)})] : [];
    return make("li", {}, make("span", {}, name), move(-1, "↑"),
      move(1, "↓"), ...drop);
  }));
}

function swapTasks(i, j) {
  const order = [...settings.order];
  [order[i], order[j]] = [order[j], order[i]];
  changeOrder(order, Math.min(i, j));
}

// Runs that have begun a task from the place on start anew.
function changeOrder(order, place) {
  pause();
  settings.order = order;
  for (const method of METHODS) {
    if (lanes[method]?.current > place) delete lanes[method];
  }
  after();
}

function removeTask(name) {
  const place = settings.order.indexOf(name);
  const order = settings.order.filter(other => other !== name);
  settings.fractions.splice(place, 1);
  delete settings.own[name];
  changeOrder(order, place);
}

// Returns what to tell; an Error says why it may not be.
function addTask(rows) {
  if (settings.order.length >= 8) throw new Error("Eight tasks are enough.");
  const numbers = Object.keys(settings.own).map(name => +name.split(" ")[1]);
  const name = `own ${Math.max(0, ...numbers) + 1}`;
  const place = run().current; // right after the present task
  settings.own = {...settings.own, [name]: rows};
  const order = [...settings.order];
  order.splice(place, 0, name);
  settings.fractions.splice(place, 0, 0.5);
  changeOrder(order, place);
  return `Added as ${name}, task ${place + 1}.`;
}

// What came in, by a link or from a file

function take(state) {
  pause();
  const taken = fromState(state, DATA.defaults);
  settings = taken.settings;
  settings.own ??= {};
  settings.method = taken.method;
  lanes = {[taken.method]: taken};
  viewed = 0;
  pointed = null;
  after();
}

// Traps

function makeTraps() {
  element("trap-list").replaceChildren(...Object.entries(TRAPS).map(
    ([name, [title, told, leaks]]) => make("label", {className: "trap"},
      make("input", {type: "checkbox", id: `trap-${name}`,
        onchange: event => {
          settings.traps[name] = event.target.checked;
          after();
        }}),
      make("span", {}, make("b", {}, title), ` ${told}`))));
}

function showTraps(here) {
  for (const name of Object.keys(TRAPS)) {
    element(`trap-${name}`).checked = settings.traps[name];
  }
  const on = Object.keys(TRAPS).filter(name => settings.traps[name]);
  if (!on.length) return put("leak", "");
  const bits = changes(here), told = bits.flatMap(({changed, all}, i) => {
    const was = whenFinished(here, i + 1), now = lastErrors(here)[i];
    return changed ? [`${nameOf(here, i + 1)}: ${changed} of ${all} bits, `
      + `the first by step ${here.history.leaks[i] ?? here.steps}; error `
      + `${percent(was)} when finished, ${percent(now)} now`] : [];
  });
  put("leak", here.method !== "packnet"
    ? "The switches are for PackNet. Choose it above."
    : told.length ? `Leaking. ${told.join(". ")}.`
      : here.kept.length ? "Nothing has leaked so far."
        : "No task is finished yet: play on.");
}

// Missions

function makeMissions() {
  element("mission-list").replaceChildren(...MISSIONS.map((one, i) =>
    make("button", {textContent: String(i + 1),
      ariaLabel: `Mission ${i + 1}: ${one.title}`,
      onclick: () => openMission(i)})));
  element("mission-set").onclick = setUp;
  element("mission-next").onclick = () => openMission(nextMission());
  openMission(0);
}

// The next mission that is not done yet; -1 where all are.
function nextMission() {
  const after = MISSIONS.map((_, i) => (mission + 1 + i) % MISSIONS.length);
  return after.find(i => !reached.has(i)) ?? -1;
}

// The page as it opened, with what the mission begins with at hand.
function setUp() {
  const {method, control, fold} = MISSIONS[mission];
  settings = asOpened(method);
  act.anew();
  show();
  if (fold) element(fold).open = true;
  element(control).focus();
}

function openMission(number) {
  mission = number;
  const {title, question, answers: offered, task} = MISSIONS[number];
  put("mission-title", `Mission ${number + 1}: ${title}`);
  put("mission-question", question);
  put("mission-task", task);
  element("mission-answers").replaceChildren(...offered.map((text, i) =>
    make("label", {}, make("input", {type: "radio", name: "answer",
      value: i, checked: answers[number] === i,
      onchange: () => {
        answers[number] = i;
        after();
      }}), make("span", {}, text))));
  after();
}

function checkMission() {
  const one = MISSIONS[mission];
  if (answers[mission] === undefined || reached.has(mission)) return;
  if (one.done(run(), session)) {
    reached.set(mission, one.outcome?.(run()) ?? "");
  }
}

function showMission(here) {
  const one = MISSIONS[mission], answer = answers[mission];
  [...element("mission-list").children].forEach((button, i) => {
    button.ariaCurrent = i === mission ? "step" : "false";
    button.classList.toggle("reached", reached.has(i));
  });
  const told = one.told?.(here, session) ?? "";
  const done = reached.has(mission), last = nextMission() < 0;
  const guess = answer === one.right ? "You were right."
    : `It turned out differently: “${one.answers[one.right]}”.`;
  put("mission-state", (answer === undefined
    ? ["Answer first: a guess will do."]
    : done ? ["✓", guess, one.after, reached.get(mission), told,
      last ? "That was the last mission." : ""]
      : ["Now try it.", one.hint?.(session) ?? "", told])
    .filter(Boolean).join(" "));
  element("mission-task").hidden = answer === undefined;
  element("mission").classList.toggle("reached", done);
}

// All controls

function makeControls() {
  for (const name of ["play", "step", "stage", "draw", "anew"]) {
    element(name).onclick = act[name];
  }
  element("speed").onchange = () => {
    if (goal && goal.each < Infinity) goal.each = each();
  };
  element("methods").append(...["finetune", "packnet", "heads", "separate"]
    .map(name => make("label", {}, make("input", {type: "radio",
      name: "method", value: name, onchange: () => act.method(name)}),
    make("span", {}, METHOD_NAMES[name]))));
  const number = (id, low, high) => element(id).onchange = event => {
    const value = Number(event.target.value);
    const fits = Number.isFinite(value) && value >= low && value <= high;
    change(fits ? {[id]: id === "noise" ? value : Math.round(value)} : {});
  };
  number("hidden", 4, 16);
  number("noise", 0, 0.3);
  number("seed", 1, 9999);
  element("activation").onchange = event =>
    change({activation: event.target.value});
  element("optimiser").onchange = event =>
    change({optimiser: event.target.value}, false);
  element("rate").onchange = event =>
    change({rate: +event.target.value}, false);
  element("fraction").oninput = event => setFraction(+event.target.value);
  element("describe").onclick = tellOnDemand;
  makeNetworkPointer(run, act);
  makeCutPointer(run, setFraction);
}

function setFraction(share) {
  settings.fractions[cutTask(run()) - 1] =
    Math.round(100 * Math.max(0, Math.min(0.99, share))) / 100;
  after();
}

makeControls();
makeTraps();
makeMissions();
makePad(addTask);
makeDraws(() => settings, DATA.table);
makeExchange(run, take, DATA.restore);
new ResizeObserver(ask).observe(document.body);
new MutationObserver(ask).observe(document.documentElement,
  {attributeFilter: ["data-ground"]});
show();
takeAddress(take).then(() => document.body.dataset.ready = "true");
