const {tasks, counts, named, ways, shown} =
  JSON.parse(element("data").textContent);
const chosen = {named: true, way: 0, picture: 0};
// Percent as the tables of the book round it: halves to the even tenth.
function share(part, whole) {
  const tenths = 1000 * part / whole, low = Math.floor(tenths);
  const half = Math.abs(tenths - low - 0.5) < 1e-9;
  const round = half ? low + low % 2 : Math.round(tenths);
  return `${(round / 10).toFixed(1)}\u00a0%`;
}

// Which head answers a shown picture, and whether it is right.
function answer(picture) {
  const head = chosen.named ? picture.task : picture.believed[chosen.way];
  const said = picture.heads[head][0];
  return {head, said, right: head === picture.task && said === picture.label};
}

function showTotals() {
  const way = ways[chosen.way];
  tasks.forEach((task, place) => {
    const row = rows[place], whole = counts[place];
    const believed = tasks.map((_, i) => chosen.named
      ? (i === place ? whole : 0) : way.believed[place][i]);
    const wrong = chosen.named ? named[place] : way.wrong[place];
    row.parts.forEach((part, i) => { part.style.flexGrow = believed[i]; });
    row.told.textContent = `${share(wrong, whole)} wrong`;
    row.bar.setAttribute("aria-label", `Pictures of ${task}, taken for: ` +
      tasks.map((name, i) => `${name} ${share(believed[i], whole)}`)
        .join(", "));
    Object.assign(row.item.dataset, {wrong, believed});
  });
}

function showGallery() {
  shown.forEach((picture, i) => {
    const {head, said, right} = answer(picture), {button, words} = cards[i];
    button.className = right ? "right" : "wrong";
    button.setAttribute("aria-pressed", i === chosen.picture);
    const taken = head === picture.task ? "" : `${tasks[head]}: `;
    words.textContent = `${right ? "✓" : "✗"} ${taken}${said}`;
  });
}

function showHeads() {
  const picture = shown[chosen.picture], {head} = answer(picture);
  const table = make("table", {}, make("caption", {textContent:
    `${picture.label}, of ${tasks[picture.task]}: what each head says`}));
  const top = table.createTHead().insertRow();
  for (const name of ["head", "its answer", "logit", "softmax", "entropy"])
    top.append(make("th", {scope: "col", textContent: name}));
  const body = table.createTBody();
  picture.heads.forEach(([said, logit, softmax, entropy], i) => {
    const line = body.insertRow();
    line.className = i === head ? "believed" : "";
    line.append(make("th", {scope: "row", textContent:
      `${tasks[i]}${i === head ? " (believed)" : ""}`}));
    for (const text of [said, logit.toFixed(1), softmax.toFixed(2),
      entropy.toFixed(2)])
      line.insertCell().textContent = text.replace("-", MINUS);
  });
  element("heads").replaceChildren(make("div", {className: "scroll",
    tabIndex: 0, role: "region", ariaLabel: "What each head says"}, table));
}

function show() {
  const all = counts.reduce((a, b) => a + b, 0);
  const mean = wrong => share(tasks.reduce((sum, _, i) =>
    sum + wrong[i] / counts[i], 0), tasks.length);
  const way = ways[chosen.way];
  element("ways").disabled = chosen.named;
  element("told").textContent = chosen.named
    ? `The task is named: of all ${all.toLocaleString("en")} test pictures, ` +
      `${mean(named)} are answered wrongly, the mean of the ` +
      `${tasks.length} tasks.`
    : `The task is not named, and the head with the ${way.name} is ` +
      `believed: ${mean(way.wrong)} are answered wrongly, where ` +
      `${mean(named)} were. Not one weight has changed.`;
  showTotals();
  showGallery();
  showHeads();
}

function choose(changes) {
  Object.assign(chosen, changes);
  show();
}

const rows = tasks.map((task, place) => {
  const parts = tasks.map((_, i) => make("span", {style: {
    background: background(i + 1), flexBasis: 0}}));
  const bar = make("div", {className: "bar"}, ...parts);
  bar.setAttribute("role", "img");
  const told = make("output");
  const name = make("b", {}, make("span", {className: "swatch",
    style: {background: background(place + 1)}}), task);
  const item = make("div", {className: "row", dataset: {task}}, name, bar,
    told);
  element("totals").append(item);
  return {item, bar, parts, told};
});
const cards = shown.map((picture, i) => {
  const words = make("span");
  const button = make("button", {type: "button"},
    make("img", {src: picture.image, alt: ""}),
    make("b", {textContent: picture.label}), words);
  button.addEventListener("click", () => choose({picture: i}));
  element("gallery").append(button);
  return {button, words};
});
element("ways").append(...ways.map(({name}, i) => {
  const radio = make("input", {type: "radio", name: "way", value: i,
    checked: i === 0});
  radio.addEventListener("change", () => choose({way: i}));
  return make("label", {}, radio, name);
}));
element("named").addEventListener("change", event =>
  choose({named: event.target.checked}));
show();
document.body.dataset.ready = Math.round(performance.now()); // ms
