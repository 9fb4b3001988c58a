const {methods, ways, share} = JSON.parse(element("data").textContent);
const SPACE = "\u00a0";
const chosen = {method: Object.keys(methods)[0], way: 0, share,
  price: ways[0].price, out: new Set()};

// As `packnet_book.runs.planner.hours` has it.
function hours([, operations, moved]) {
  const {rate, bandwidth} = ways[chosen.way];
  return (operations / (rate * chosen.share / 100) + moved / bandwidth) / 3600;
}

function spoken(value) {
  if (value >= 100) return `${value.toFixed(0)}${SPACE}h`;
  if (value >= 1) return `${value.toPrecision(3)}${SPACE}h`;
  return value * 60 >= 1 ? `${(60 * value).toPrecision(2)}${SPACE}min`
    : `${(3600 * value).toPrecision(2)}${SPACE}s`;
}

const dollars = value => value >= 100 ? `${value.toFixed(0)}${SPACE}dollars`
  : `${value.toFixed(2)}${SPACE}dollars`;

function show() {
  const stages = methods[chosen.method], all = stages.map(hours);
  const counted = all.map((value, i) =>
    chosen.out.has(stages[i][0]) ? 0 : value);
  const sum = counted.reduce((a, b) => a + b, 0);
  const most = Math.max(...counted, 1e-30);
  element("stages").replaceChildren(...stages.map(([name], i) => {
    const box = make("input", {type: "checkbox", id: `stage-${i}`,
      checked: !chosen.out.has(name)});
    const label = make("label", {htmlFor: box.id, textContent: name});
    const row = make("div", {className: box.checked ? "stage" : "stage out",
      dataset: {hours: all[i]}},
    make("span", {}, box, label),
    make("i", {ariaHidden: "true"}, make("b", {style: {
      width: `${100 * counted[i] / most}%`}})),
    make("output", {textContent: spoken(all[i])}));
    box.addEventListener("change", () => {
      chosen.out[box.checked ? "delete" : "add"](name);
      show();
      element(box.id).focus();
    });
    return row;
  }));
  const [time, money] = element("total").children;
  const days = sum < 48 ? "" : ` (${(sum / 24).toFixed(1)}${SPACE}days)`;
  time.textContent = spoken(sum) + days;
  money.textContent = dollars(sum * chosen.price);
  Object.assign(element("total").dataset,
    {hours: sum, dollars: sum * chosen.price});
  element("share-shown").value = `${chosen.share} %`;
  element("price-shown").value = dollars(chosen.price);
  for (const id of ["share", "price"])
    element(id).setAttribute("aria-valuetext", element(`${id}-shown`).value);
  const longest = counted.indexOf(most);
  element("told").textContent = longest < 0 ? "No stage is counted."
    : `${chosen.method} on a ${ways[chosen.way].name}, at ${chosen.share} % ` +
      `of its stated rate: ${spoken(sum)} and ${dollars(sum * chosen.price)}. ` +
      `The longest stage, ${stages[longest][0]}, takes ` +
      `${(100 * most / sum).toFixed(0)} % of the time. Computed, not measured.`;
}

function choose(changes) {
  Object.assign(chosen, changes);
  show();
}

element("method").append(...Object.keys(methods).map(name =>
  make("option", {value: name, textContent: name})));
element("way").append(...ways.map(({name}, i) =>
  make("option", {value: i, textContent: name})));
element("share").value = share;
element("price").value = chosen.price;
element("method").addEventListener("change", event =>
  choose({method: event.target.value, out: new Set()}));
element("way").addEventListener("change", event => {
  const way = Number(event.target.value);
  element("price").value = ways[way].price;
  choose({way, price: ways[way].price});
});
for (const id of ["share", "price"])
  element(id).addEventListener("input", event =>
    choose({[id]: Number(event.target.value)}));
element("controls").addEventListener("submit", event =>
  event.preventDefault());
show();
document.body.dataset.ready = Math.round(performance.now()); // ms
