// Many draws, and what they say: means with 95 % intervals. Runs in a
// worker, so that the page stays alive.

import {METHODS, wholeDraw} from "./run.js";

// In a worker: answers {settings, draws} with a message for every draw.
export function answerDraws(scope) {
  scope.onmessage = ({data: {settings, draws}}) => {
    for (let draw = 1; draw <= draws; draw++) {
      const began = performance.now();
      const errors = Object.fromEntries(METHODS.map(method =>
        [method, wholeDraw({...settings, seed: draw}, method)]));
      const seconds = (performance.now() - began) / 1000;
      scope.postMessage({draw, errors, seconds});
    }
  };
}

// Student's t for 95 %, from the normal quantile (Abramowitz & Stegun
// 26.7.5); good to 0.1 % from 5 degrees of freedom on.
const FEW = [NaN, 12.706, 4.303, 3.182, 2.776];

export function student(degrees) {
  if (degrees < FEW.length) return FEW[degrees];
  const z = 1.959964, z2 = z * z, n = degrees;
  return z * (1 + (z2 + 1) / (4 * n)
    + ((5 * z2 + 16) * z2 + 3) / (96 * n * n)
    + (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * n ** 3));
}

// Mean of some numbers and the half of its 95 % interval.
export function meanInterval(values) {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const half = count > 1
    ? student(count - 1) * Math.sqrt(squares / (count - 1) / count) : null;
  return {mean, half, count};
}
