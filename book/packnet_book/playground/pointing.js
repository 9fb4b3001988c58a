// What is done with a pointer on the pictures of the network and of sizes.

import {fractionAt, headAt, nearest, prunesAgain} from "./view.js";

// run: gives the run that is shown. act.view and act.point: are told what is
// pointed at.
export function makeNetworkPointer(run, act) {
  const canvas = element("network");
  let head = 0;
  const point = event => {
    const box = canvas.getBoundingClientRect();
    const at = [canvas.clientWidth, event.clientX - box.left,
      event.clientY - box.top];
    const former = head;
    head = headAt(run(), ...at);
    if (head !== former) act.view(head);
    act.point(head ? null : nearest(run(), ...at));
  };
  canvas.onpointermove = canvas.onpointerdown = point;
  canvas.onpointerleave = event => {
    if (event.pointerType === "touch") return;
    if (head) act.view(0);
    head = 0;
    act.point(null);
  };
  element("walk").oninput = event => {
    const nth = +event.target.value - 1, {weights} = run().networks[0];
    const layer = nth < weights[0].length ? 0 : 1;
    const i = nth - layer * weights[0].length;
    act.point(i in weights[layer] ? {layer, i} : null);
  };
}

// The handle is dragged by a mouse from where it is pressed; by a finger once
// that goes sideways, since up and down it scrolls the page.
export function makeCutPointer(run, setFraction) {
  const canvas = element("sizes");
  let from = null, drags = false;
  const drag = event => {
    const here = run();
    if (!prunesAgain(here) || here.stage !== "train") return;
    const box = canvas.getBoundingClientRect();
    setFraction(fractionAt(here, canvas, event.clientX - box.left,
      event.clientY - box.top));
  };
  canvas.onpointerdown = event => {
    canvas.setPointerCapture(event.pointerId);
    from = event;
    drags = event.pointerType !== "touch";
    if (drags) drag(event);
  };
  canvas.onpointermove = event => {
    if (!from) return;
    drags ||= Math.abs(event.clientX - from.clientX)
      > Math.abs(event.clientY - from.clientY);
    if (drags) drag(event);
  };
  canvas.onpointerup = event => {
    if (from) drag(event); // a tap, too
    from = null;
  };
  canvas.onpointercancel = () => from = null;
}
