// Seven missions of a minute each. Each asks first, then says what to do,
// and sees from the state of the page whether it was done.

import {changes, errors, isOver} from "./run.js";

const most = values => Math.max(...values.filter(v => v !== null), 0);
const total = run =>
  changes(run).reduce((sum, {changed}) => sum + changed, 0);

// In a mission, `session` tells what has happened since the page opened:
// worst: the largest error of a finished task, by method; orders: the whole
// PackNet runs, best first; leaked: bits have changed under PackNet; cost:
// how much pruning and retraining have cost a task.
export const MISSIONS = [
  {
    title: "Make it forget",
    question: "The network has learnt disc. Now it learns quadrants, and "
      + "never sees disc again. What becomes of its error on disc?",
    answers: ["It stays", "It rises by a few points",
      "It rises towards guessing, 50 %"],
    right: 2,
    task: "Choose Plain training. Press Play, and let it go on until "
      + "quadrants has been learnt.",
    done: (run, session) => session.worst.finetune > 0.25,
    after: "Training moved the very weights that disc needs, and nothing "
      + "held them. That is catastrophic forgetting: the network is not "
      + "full, it was overwritten.",
  },
  {
    title: "Prevent it",
    question: "PackNet fixes the weights that a task needs, and frees the "
      + "smallest for the next one. How many bits of disc will quadrants "
      + "change?",
    answers: ["None", "A few", "About half of them"],
    right: 0,
    task: "Choose PackNet, and play until quadrants has been learnt. Watch "
      + "the counter of bits.",
    done: run => run.method === "packnet" && run.kept.length > 0
      && isOver(run) && total(run) === 0 && errors(run)[1] < 0.1,
    after: "Not one bit: the weights of disc are the same numbers as before, "
      + "so every answer is the same. Quadrants uses them, too, without "
      + "moving them.",
  },
  {
    title: "Run out of room",
    question: "What if nothing is freed after disc?",
    answers: ["Quadrants overwrites disc", "Quadrants has no weight to train",
      "The network grows"],
    right: 1,
    task: "Start anew with PackNet, set the share to free to 0, and go on "
      + "stage by stage until quadrants has been trained.",
    done: run => run.method === "packnet" && run.current > 1
      && isOver(run) && !run.networks[0].owners.some(owner =>
        owner.includes(run.current)),
    after: "Only the two outputs of its own were left to train. A packed "
      + "network has room for so many tasks and no more.",
  },
  {
    title: "Find the order that costs least",
    question: "Does it matter which task comes first?",
    answers: ["No, each keeps what it has", "Yes: later ones build on "
      + "earlier ones, with less room"],
    right: 1,
    task: "With PackNet, make whole runs in three different orders (see "
      + "Settings), with the same seed. Which has the lowest mean error?",
    done: (run, session) => session.orders().length >= 3,
    told: (run, session) => session.orders().map(({order, mean}) =>
      `${order.join(", ")}: ${(100 * mean).toFixed(1)} %`).join(" · "),
    after: "The best of yours stands first. One draw an order proves little: "
      + "differences of a point may turn round with another seed.",
  },
  {
    title: "Free too much",
    question: "Disc alone could do with far fewer weights. How much can be "
      + "freed before its error rises by 5 points, retrained?",
    answers: ["Half", "Three quarters", "Nine tenths or more"],
    right: 2,
    task: "Start anew with PackNet, choose the share to free, and go on "
      + "until a task has been retrained. Increase it until its error is 5 points "
      + "above what it was before pruning.",
    done: (run, session) => session.cost >= 0.05,
    after: "Here it takes much to hurt the first task. What it keeps for "
      + "itself, however, later tasks have not.",
  },
  {
    title: "Let it leak, and mend it",
    question: "The gradient of a weight is zero. Does that fix it?",
    answers: ["Yes", "No: the optimiser may still move it"],
    right: 1,
    task: "Switch on weight decay, among the six ways to get it wrong, and "
      + "play PackNet until bits of a finished task change. Then switch it "
      + "off, start anew, and learn two tasks without a leak.",
    done: (run, session) => session.leaked && run.method === "packnet"
      && run.kept.length > 0 && isOver(run) && total(run) === 0,
    told: (run, session) => session.leaked
      ? "It has leaked. Now mend it." : "",
    after: "Decay and momentum act inside the optimiser, after the gradient. "
      + "A fixed weight has to be left out of the step altogether.",
  },
  {
    title: "Paint a task that does not fit",
    question: "Which task is the hardest to fit into what is left?",
    answers: ["Two clouds, apart", "A fine checkerboard", "A ring"],
    right: 1,
    task: "Paint a task of your own, add it, and train it with PackNet. You "
      + "are there if a tenth of its points is still answered wrongly.",
    done: run => run.method === "packnet" && isOver(run)
      && run.settings.own?.[run.settings.order[run.current - 1]]
      && most([errors(run)[run.current - 1]]) >= 0.1,
    after: "Fine detail needs many weights, and few were left. The tasks "
      + "before it have not lost a bit by the attempt.",
  },
];
