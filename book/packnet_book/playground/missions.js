// Seven missions of a minute each. Each asks first, then says what to do,
// and sees from the state of the page whether it was done.

import {changes, errors, isOver, nameOf, whenFinished} from "./run.js";
import {percent} from "./view.js";

const most = values => Math.max(...values.filter(v => v !== null), 0);
const total = run =>
  changes(run).reduce((sum, {changed}) => sum + changed, 0);

// A mission is set up with its method and all else as the page opened; its
// `fold` is opened, and the control that it begins with has the focus.
// `session` tells what has happened since the page opened: worst: the largest
// error of a finished task, by method; orders: the whole PackNet runs that
// differ in nothing but the order, best first; leaked: bits have changed under
// PackNet; freed: the share of the first task's weights that was freed last,
// its error before and after. `told` follows the session; `outcome` is told
// as it was when the mission was done.
export const MISSIONS = [
  {
    title: "Two tasks, one network",
    method: "finetune",
    control: "play",
    question: "First the network learns disc. Then it learns quadrants, and "
      + "never sees disc again. What becomes of its error on disc?",
    answers: ["It stays", "It rises by a few points",
      "It rises towards guessing, 50 %"],
    right: 2,
    task: "Choose Plain training. Press Play, and let it go on until "
      + "quadrants has been learnt.",
    done: (run, session) => session.worst.finetune > 0.25,
    outcome: run => run.method === "finetune" && run.kept.length
      ? `Error on ${nameOf(run, 1)}: ${percent(whenFinished(run, 1))} when `
        + `finished, ${percent(errors(run)[0])} now.` : "",
    after: "Training moved the very weights that disc needs, and nothing "
      + "held them. That is catastrophic forgetting: the network is not "
      + "full, it was overwritten.",
  },
  {
    title: "The same with PackNet",
    method: "packnet",
    control: "play",
    question: "PackNet fixes the weights that a task needs, and frees the "
      + "smallest for the next one. Of the bits that make up the numbers disc "
      + "uses, how many will training on quadrants change?",
    answers: ["None", "A few", "About half of them"],
    right: 0,
    task: "Choose PackNet, and play until quadrants has been learnt. Watch "
      + "the counter of bits.",
    done: run => run.method === "packnet" && run.kept.length > 0
      && isOver(run) && total(run) === 0 && errors(run)[1] < 0.1,
    after: "Not one bit: the weights of disc are the same numbers as before, "
      + "so every answer is the same. Quadrants uses them, too, but does "
      + "not move them.",
  },
  {
    title: "Free nothing",
    method: "packnet",
    control: "fraction",
    question: "What happens if nothing is freed after disc?",
    answers: ["Quadrants overwrites disc", "Quadrants has no weight to train",
      "The network grows"],
    right: 1,
    task: "Start anew with PackNet, set the share to free to 0 (below), and "
      + "press One stage until quadrants has been trained.",
    done: run => run.method === "packnet" && run.current > 1
      && isOver(run) && !run.networks[0].owners.some(owner =>
        owner.includes(run.current)),
    after: "Quadrants could train nothing but its own outputs, the lines on "
      + "the right. A packed "
      + "network has room for so many tasks and no more.",
  },
  {
    title: "Which task first?",
    method: "packnet",
    control: "draw",
    fold: "settings",
    question: "Does it matter which task comes first?",
    answers: ["No, each keeps what it has", "Yes: later ones build on "
      + "earlier ones, with less room"],
    right: 1,
    task: "With PackNet, make whole runs in three different orders (at the "
      + "end of Settings), and change nothing else. Which has the lowest mean "
      + "error?",
    done: (run, session) => session.orders().length >= 3,
    told: (run, session) => session.orders().map(({order, mean}) =>
      `${order.join(", ")}: ${(100 * mean).toFixed(1)} %`).join(" · "),
    after: "The best of yours comes first. One draw for each order proves "
      + "little: with another seed (other points, other first weights), "
      + "differences of a point may reverse.",
  },
  {
    title: "How much can go?",
    method: "packnet",
    control: "fraction",
    question: "What share of disc's weights can be freed before its error, "
      + "after retraining, has risen by 5 points?",
    answers: ["Half", "Three quarters", "Nine tenths or more"],
    right: 1,
    task: "Choose the share to free (below), and press One stage until disc "
      + "has been retrained. Start anew with a larger share until the error "
      + "ends 5 points above what it was before pruning.",
    done: (run, {freed}) => freed && freed.now - freed.was >= 0.05
      && run.settings.order[0] === "disc",
    told: (run, {freed}) => freed ? `${percent(freed.share, 0)} freed: error `
      + `${percent(freed.was)} before, ${percent(freed.now)} after.` : "",
    after: "Most of its weights can go before the first task is hurt. But "
      + "whatever it keeps is lost to later tasks.",
  },
  {
    title: "A gradient of zero",
    method: "packnet",
    control: "trap-decay",
    fold: "traps",
    question: "The gradient tells the optimiser, which takes the training "
      + "steps, where to move a weight. Suppose it is zero. Does that fix the "
      + "weight?",
    answers: ["Yes", "No: the optimiser may still move it"],
    right: 1,
    task: "Switch on weight decay, among the six ways to get it wrong, and "
      + "play with PackNet until bits of a finished task change. Then switch "
      + "it off, start anew, and learn two tasks without a leak.",
    done: (run, session) => session.leaked && run.method === "packnet"
      && run.kept.length > 0 && isOver(run) && total(run) === 0,
    hint: session => session.leaked ? "It has leaked. Now mend it." : "",
    after: "Decay and momentum act inside the optimiser, after the gradient. "
      + "A fixed weight has to be left out of the step altogether.",
  },
  {
    title: "A task of your own",
    method: "packnet",
    control: "pad",
    fold: "own",
    question: "Which task is the hardest to fit into what is left?",
    answers: ["Two clouds, apart", "A fine checkerboard", "A ring"],
    right: 1,
    task: "Paint a task of your own, add it, and train it with PackNet. It "
      + "has to be so hard that at least a tenth of its points are still "
      + "answered wrongly.",
    done: run => run.method === "packnet" && isOver(run)
      && run.settings.own?.[run.settings.order[run.current - 1]]
      && most([errors(run)[run.current - 1]]) >= 0.1,
    after: "Fine detail needs many weights, and few were left. The attempt "
      + "has not cost the earlier tasks a single bit.",
  },
];
