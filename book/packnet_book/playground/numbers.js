// Arithmetic that gives the same bits in every browser. The standard leaves
// Math.exp and Math.tanh to the browser; +, -, *, / and Math.sqrt are exact.

const LN2_HIGH = 6.93147180369123816490e-01;
const LN2_LOW = 1.90821492927058770002e-10;
const POWERS = powersOfTwo();

function powersOfTwo() {
  const powers = new Float64Array(2098); // 2^-1074 to 2^1023
  powers[1074] = 1;
  for (let k = 1075; k < 2098; k++) powers[k] = 2 * powers[k - 1];
  for (let k = 1073; k >= 0; k--) powers[k] = powers[k + 1] / 2;
  return powers;
}

// e^x: x = k ln 2 + r, and a quotient of polynomials for e^r (fdlibm).
export function exp(x) {
  if (!(x > -708)) return x <= -708 ? 0 : NaN;
  if (x > 709) return Infinity;
  const k = Math.floor(x * 1.4426950408889634 + 0.5);
  const high = x - k * LN2_HIGH, low = k * LN2_LOW;
  const r = high - low, t = r * r;
  const c = r - t * (1.66666666666666019037e-01
    + t * (-2.77777777770155933842e-03 + t * (6.61375632143793436117e-05
    + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
  return (1 - ((low - r * c / (2 - c)) - high)) * POWERS[k + 1074];
}

export function tanh(x) {
  if (x > 20) return 1;
  if (x < -20) return -1;
  return 1 - 2 / (exp(2 * x) + 1);
}

// Random numbers: xoshiro128** (Blackman & Vigna 2018), and a state of four
// whole numbers, made of a text: every use has a stream of its own.
export function stream(...names) {
  let hash = 2166136261;
  for (const letter of names.join("/")) {
    hash = Math.imul(hash ^ letter.codePointAt(0), 16777619);
  }
  return Uint32Array.from({length: 4}, () => {
    hash = hash + 0x9e3779b9 | 0; // splitmix32
    let t = Math.imul(hash ^ hash >>> 16, 0x21f0aaad);
    t = Math.imul(t ^ t >>> 15, 0x735a2d97);
    return t ^ t >>> 15;
  });
}

function draw32(state) {
  const product = Math.imul(state[1], 5);
  const result = Math.imul(product << 7 | product >>> 25, 9) >>> 0;
  const shifted = state[1] << 9;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = state[3] << 11 | state[3] >>> 21;
  return result;
}

// Uniform between low and high.
export function uniform(state, low = 0, high = 1) {
  const share = ((draw32(state) >>> 5) * 67108864 + (draw32(state) >>> 6))
    / 9007199254740992;
  return low + (high - low) * share;
}

export const below = (state, n) => Math.floor(uniform(state) * n);

// As good as normal: the sum of twelve uniform numbers (Irwin & Hall 1927).
export function normal(state) {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += uniform(state);
  return sum;
}
