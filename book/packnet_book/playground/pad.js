// A task of one's own: points are painted, or read from a table.

import {readCSV, refusal} from "./tasks.js";
import {paintPoints, say} from "./view.js";

const pad = {rows: [], x: 0, y: 0}; // points, and where the cross is

function showPad(told = "") {
  const canvas = element("pad"), size = canvas.clientWidth;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(size * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size, size);
  paintPoints(context, size, pad.rows.flatMap(([x, y]) => [x, y]),
    pad.rows.map(row => row[2]), 5);
  if (document.activeElement === canvas) {
    const x = size * (pad.x + 1.1) / 2.2, y = size * (1.1 - pad.y) / 2.2;
    context.strokeStyle = getComputedStyle(canvas).color;
    context.beginPath();
    context.moveTo(x - 9, y);
    context.lineTo(x + 9, y);
    context.moveTo(x, y - 9);
    context.lineTo(x, y + 9);
    context.stroke();
  }
  const full = pad.rows.filter(row => row[2]).length;
  say(element("pad-told"), told || `${full} full points, ${
    pad.rows.length - full} hollow. ${
    pad.rows.length ? refusal(pad.rows) : ""}`);
}

const toGrid = v => Math.round(Math.max(-1, Math.min(1, v)) * 4096) / 4096;

function setPoint(x, y, label) {
  if (pad.rows.length >= 2000) return showPad("2,000 points are enough.");
  pad.rows.push([toGrid(x), toGrid(y), label]);
  showPad();
}

// add: makes a task of rows [x, y, label] and returns what to tell, or throws
// an Error.
export function makePad(add) {
  const canvas = element("pad");
  const at = event => {
    const box = canvas.getBoundingClientRect();
    return [2.2 * (event.clientX - box.left) / box.width - 1.1,
      1.1 - 2.2 * (event.clientY - box.top) / box.height];
  };
  let last = null, brush = 1;
  canvas.onpointerdown = event => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    setPoint(...last, brush);
  };
  canvas.onpointermove = event => {
    const here = at(event);
    if (!last || Math.hypot(here[0] - last[0], here[1] - last[1]) < 0.05) {
      return;
    }
    last = here;
    setPoint(...last, brush);
  };
  canvas.onpointerup = canvas.onpointercancel = () => last = null;
  const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1],
    ArrowDown: [0, -1]};
  canvas.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = moves[event.key], size = event.shiftKey ? 0.3 : 0.1;
    if (by) {
      pad.x = toGrid(pad.x + size * by[0]);
      pad.y = toGrid(pad.y + size * by[1]);
      showPad(`Cross at ${pad.x.toFixed(1)}, ${pad.y.toFixed(1)}.`);
    } else if (event.key === "1") setPoint(pad.x, pad.y, 1);
    else if (event.key === "2") setPoint(pad.x, pad.y, 0);
    else if (event.key === "Backspace") element("undo").click();
    else return;
    event.preventDefault();
  };
  canvas.onfocus = canvas.onblur = () => showPad();
  element("own").ontoggle = () => showPad();
  for (const radio of document.getElementsByName("brush")) {
    radio.onchange = () => brush = +radio.value;
  }
  element("undo").onclick = () => {
    pad.rows.pop();
    showPad();
  };
  element("clear").onclick = () => {
    pad.rows = [];
    showPad();
  };
  element("read").onclick = () => {
    try {
      pad.rows = readCSV(element("csv").value);
      showPad();
    } catch (error) {
      showPad(error.message);
    }
  };
  element("add").onclick = () => {
    const why = refusal(pad.rows);
    if (why) return showPad(why);
    try {
      const told = add(pad.rows);
      pad.rows = [];
      showPad(told);
    } catch (error) {
      showPad(error.message);
    }
  };
}
