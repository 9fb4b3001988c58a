// Out of the page and back: a link, a file, lines of Python.

import {pack, toState, unpack} from "./state.js";
import {say} from "./view.js";

const ADDRESS = "#playground=";

// The page whose address the reader sees; null in a frame that may not look.
function addressed() {
  try {
    return window.top.location.href ? window.top : null;
  } catch {
    return null;
  }
}

// The address that shows a run; the address bar has it, too.
export async function linkTo(run) {
  const letters = ADDRESS + await pack(toState(run));
  const {location, history} = addressed();
  history.replaceState(null, "", letters);
  return location.href.split("#")[0] + letters;
}

// take: is given the state that the address holds, if it holds one.
export async function takeAddress(take) {
  const letters = addressed()?.location.hash;
  if (!letters?.startsWith(ADDRESS)) return;
  try {
    take(await unpack(letters.slice(ADDRESS.length)));
  } catch {
    tell("The address holds no playground that could be read.");
    element("out").open = true;
  }
}

// Whether a file is certain to be saved: a frame may forbid that, and nobody
// says so. Into a frame of another origin one does not see.
function mayDownload() {
  try {
    for (let here = window; here !== window.top; here = here.parent) {
      const {sandbox} = here.frameElement;
      if (here.frameElement.hasAttribute("sandbox")
        && !sandbox.contains("allow-downloads")) return false;
    }
    return true;
  } catch {
    return false;
  }
}

const tell = text => say(element("out-told"), text);

// run: gives the run that goes out. take: is given the state that comes in.
// restore: the lines that read the file in Python.
export function makeExchange(run, take, restore) {
  addressed()?.addEventListener("hashchange", () => takeAddress(take));
  const refused = () => run().diverged;
  element("link").hidden = element("link-told").hidden = !addressed();
  element("link").onclick = async () => {
    if (refused()) return tell("This run has diverged.");
    element("link-text").value = await linkTo(run());
    element("link-part").hidden = false;
    element("link-text").select();
    try {
      await navigator.clipboard.writeText(element("link-text").value);
      tell("Copied.");
    } catch {
      tell("Copy it from here.");
    }
  };
  element("save").onclick = () => {
    if (refused()) return tell("This run has diverged.");
    const text = JSON.stringify(toState(run()));
    const address = URL.createObjectURL(new Blob([text],
      {type: "application/json"}));
    make("a", {href: address, download: "playground.json"}).click();
    URL.revokeObjectURL(address);
    const may = mayDownload();
    element("file-part").hidden = may;
    element("file-text").value = may ? "" : text;
    tell(may ? "Saved as playground.json."
      : "If no file was saved, this page is in a frame that may not save any: "
        + "copy the text below into a file named playground.json.");
  };
  element("open").onchange = async event => {
    const [file] = event.target.files;
    event.target.value = "";
    try {
      take(JSON.parse(await file.text()));
      tell(`${file.name} is open.`);
    } catch (error) {
      tell(`${file.name}: ${error.message}`);
    }
  };
  const code = `${restore}\n\nnet = restore("playground.json")\n`
    + "print(net.summary())\n";
  say(element("python"), code);
  element("copy").onclick = async () => {
    try {
      await navigator.clipboard.writeText(code);
      say(element("copy"), "Copied");
    } catch {
      getSelection().selectAllChildren(element("python"));
    }
  };
}
