"use strict";
// Colours of Okabe and Ito, each with a hatch of its own; 0 is free.
const COLOURS = ["#ffffff", "#56B4E9", "#E69F00", "#009E73", "#F0E442",
  "#CC79A7"];
const LINES = [null, null, 45, 0, 90, 135]; // degrees
const MINUS = "\u2212";

const element = id => document.getElementById(id);

// The place of an owner among the colours: they come again after the fifth.
const kind = owner => owner === 0 ? 0 : 1 + (owner - 1) % 5;

function background(owner) {
  const colour = COLOURS[kind(owner)], degrees = LINES[kind(owner)];
  if (degrees === null) return colour;
  return `repeating-linear-gradient(${degrees}deg, transparent 0 5px, ` +
    `rgb(0 0 0 / 0.35) 5px 6px), ${colour}`;
}

function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const {style, dataset, ...others} = properties;
  Object.assign(made, others);
  Object.assign(made.style, style);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

// A number in a few characters: 0.0123, −1.2, 7.
function short(value, digits = 2) {
  if (value === 0) return "0";
  const text = Number.isInteger(value) ? String(value)
    : Math.abs(value) >= 100 ? value.toFixed(0)
    : Math.abs(value) < 0.001 ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
  return text.replace(/-/g, MINUS);
}

// In a frame of the same origin: be as high as what is shown.
function fit() {
  try {
    const frame = window.frameElement;
    if (frame) frame.style.height = `${document.body.scrollHeight + 2}px`;
  } catch { /* a frame of another origin keeps its height */ }
}
new ResizeObserver(fit).observe(document.body);

// What this page stands on: the ground of the notebook or book around its
// frame, where that can be seen, and else what the reader's system prefers.
const preference = window.matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  let around = null;
  try { around = window.frameElement?.parentElement; } catch { /* foreign */ }
  for (; around; around = around.parentElement) {
    const [red, green, blue, alpha = 1] = getComputedStyle(around)
      .backgroundColor.match(/[\d.]+/g).map(Number);
    if (alpha > 0.5) return 0.3 * red + 0.6 * green + 0.1 * blue < 128;
  }
  return preference.matches;
}

function followGround() {
  const html = document.documentElement;
  html.dataset.ground = isDark() ? "dark" : "light";
}
preference.addEventListener("change", followGround);
try {
  const around = window.frameElement?.ownerDocument;
  const watch = new MutationObserver(followGround);
  if (around) for (const node of [around.documentElement, around.body])
    watch.observe(node, {attributes: true});
} catch { /* a frame of another origin does not see what is around it */ }
followGround();
