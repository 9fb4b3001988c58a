// Fifty draws in a worker, and tables of their errors.

import {meanInterval} from "./draws.js";
import {METHOD_NAMES, say} from "./view.js";

const ROWS = ["separate", "packnet", "heads", "finetune"];

let worker = null;

// settings: gives what the draws are made with. book: the book's own table.
export function makeDraws(settings, book) {
  element("draws-start").onclick = () => {
    stopDraws();
    const source = `${element("engine").textContent}\nanswerDraws(self);`;
    const address = URL.createObjectURL(new Blob([source],
      {type: "text/javascript"}));
    worker = new Worker(address);
    URL.revokeObjectURL(address);
    const made = [], given = settings();
    worker.onmessage = ({data}) => {
      made.push(data);
      showDraws(made, given.order);
      if (made.length === 50) stopDraws();
    };
    worker.onerror = event => say(element("draws-told"), event.message);
    worker.postMessage({settings: given, draws: 50});
    element("draws-start").disabled = true;
    element("draws-stop").disabled = false;
    say(element("draws-told"), "0 of 50");
    element("draws-bar").value = 0;
  };
  element("draws-stop").onclick = stopDraws;
  if (book.rows) {
    const {tasks, rows, draws, date, browser} = book;
    element("book-table").replaceChildren(table(
      `The book's: error in %, ${draws} draws with the settings this page `
      + `opens with, mean and 95 % interval (${browser}, ${date})`, tasks,
      rows));
  }
}

function stopDraws() {
  worker?.terminate();
  worker = null;
  element("draws-start").disabled = false;
  element("draws-stop").disabled = true;
}

function showDraws(made, tasks) {
  element("draws-bar").value = made.length;
  say(element("draws-told"), `${made.length} of 50, the last in ${
    made.at(-1).seconds.toFixed(1)} s`);
  const rows = ROWS.map(method => [method, tasks.map((_, i) => {
    const values = made.map(({errors: all}) => all[method][i]);
    if (values.includes(null)) return null;
    const {mean, half} = meanInterval(values);
    return [100 * mean, half === null ? null : 100 * half];
  })]);
  element("draws-table").replaceChildren(table(
    `Yours: error in %, ${made.length} draws, mean and 95 % interval`,
    tasks, rows));
}

function table(caption, tasks, rows) {
  const best = tasks.map((_, i) => Math.min(...rows.map(([, cells]) =>
    cells[i] ? +cells[i][0].toFixed(1) : Infinity)));
  const cell = (value, i) => make("td", {}, !value ? "–"
    : make(+value[0].toFixed(1) === best[i] ? "b" : "span", {},
      value[0].toFixed(1) + (value[1] === null ? ""
        : ` ± ${value[1].toFixed(1)}`)));
  return make("div", {className: "scroll", tabIndex: 0, role: "region",
    ariaLabel: "Table of errors"}, make("table", {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, make("td", {}),
      ...tasks.map(name => make("th", {scope: "col"}, name)))),
    make("tbody", {}, ...rows.map(([method, cells]) => make("tr", {},
      make("th", {scope: "row"}, METHOD_NAMES[method]),
      ...cells.map(cell))))));
}
