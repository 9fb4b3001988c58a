// The four tasks in the plane, each a rule that sorts points into two
// classes; and a reader's own points.

import {normal, stream, uniform} from "./numbers.js";

// Coordinates on a grid of 1/4096: a browser's last bit of sin and cos is
// rounded away, and points are short to write down.
const onGrid = x => Math.round(x * 4096) / 4096;
const TURNS = 1, STRIPE = 1;

const anywhere = random => [uniform(random, -1, 1), uniform(random, -1, 1)];

function by(rule) {
  return random => {
    const point = anywhere(random);
    return [...point, rule(...point) ? 1 : 0];
  };
}

function spirals(random) {
  const arm = uniform(random) < 0.5 ? 0 : 1;
  const out = Math.sqrt(uniform(random, 0.02, 1));
  const angle = Math.PI * (2 * TURNS * out + arm);
  return [0.95 * out * Math.cos(angle), 0.95 * out * Math.sin(angle), arm];
}

export const RULES = {
  disc: by((x, y) => x * x + y * y < 0.55),
  quadrants: by((x, y) => x * y > 0),
  stripes: by((x, y) => Math.floor((x + y) / STRIPE) % 2 !== 0),
  spirals,
};

// Points (count) of a task of the book: the same for the same names.
export function drawPoints(name, count, noise, seed, use) {
  const random = stream("points", name, seed, use);
  const inputs = new Float64Array(2 * count);
  const labels = new Uint8Array(count);
  for (let n = 0; n < count; n++) {
    const [x, y, label] = RULES[name](random);
    inputs[2 * n] = onGrid(x + noise * normal(random));
    inputs[2 * n + 1] = onGrid(y + noise * normal(random));
    labels[n] = label;
  }
  return {inputs, labels};
}

// A reader's points [[x, y, class], …]: learnt, and measured on themselves.
export function ownPoints(rows) {
  return {
    inputs: Float64Array.from(rows.flatMap(([x, y]) => [x, y])),
    labels: Uint8Array.from(rows, row => row[2]),
  };
}

// Why points are no task yet; "" if they are one.
export function refusal(rows) {
  const ones = rows.filter(row => row[2] === 1).length;
  if (rows.length < 4) return "A task needs at least four points.";
  if (ones === 0 || ones === rows.length) {
    return "A task needs points of both classes.";
  }
  return "";
}

// Lines "x, y, class": whatever two names the classes have. Coordinates
// beyond -1 to 1 are scaled into the square. Throws an Error that says why.
export function readCSV(text) {
  const rows = [], names = [];
  text.trim().split(/\r?\n/).forEach((line, number) => {
    const [x, y, name] = line.split(/[,;\t]/).map(part => part.trim());
    const heading = number === 0 && !Number.isFinite(Number(x));
    if (line.trim() === "" || heading) return;
    if (!x || !y || !name || !Number.isFinite(Number(x))
      || !Number.isFinite(Number(y))) {
      throw new Error(`Line ${number + 1}: give x, y and a class.`);
    }
    if (!names.includes(name)) names.push(name);
    rows.push([Number(x), Number(y), name]);
  });
  if (names.length !== 2) {
    throw new Error(`There are ${names.length} classes: give two.`);
  }
  if (rows.length > 2000) throw new Error("Give at most 2,000 points.");
  names.sort();
  const most = Math.max(1, ...rows.flatMap(([x, y]) =>
    [Math.abs(x), Math.abs(y)]));
  return rows.map(([x, y, name]) =>
    [onGrid(x / most), onGrid(y / most), names.indexOf(name)]);
}
