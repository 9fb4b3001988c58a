"""The playground: its method is the library's, and its controls hold.

Numbers are compared with torch's and with the library's own. The scripts
run in the browser that shows the book.
"""

import gzip
import json
import os
import re
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Frame, Page, expect
from scipy.stats import t
from torch import nn
from torch.nn import functional as F

from browser import serve
from packnet_book.playground import playground, restore
from packnet_book.playground.bundle import (
    ENGINE,
    HERE,
    SHOWN,
    common,
    join,
    read,
)
from packnet_book.runs.records import recorded
from packnet_book.runs.statistics import mean_interval
from packnet_core import PackNet
from packnet_core.pruning import cutoff, free_up_to
from tests.contents import ROOT
from tests.standalone import opened
from tests.test_page import serious

WIDE = 1200

DEFAULTS = json.loads(read("defaults.json"))


@pytest.fixture
def engine(browser: Browser) -> Iterator[Page]:
    """A page with the method alone; nothing is drawn."""
    page = browser.new_page()
    page.add_script_tag(content=join(ENGINE))
    yield page
    page.close()


def random_layers(count: int) -> Iterator[tuple]:
    """Weights, owners, task, fraction: with ties, zeros and edges."""
    random = np.random.default_rng(0)
    for number in range(count):
        size = int(random.integers(1, 150))
        weight = random.normal(size=size)
        if number % 3:  # ties, on both sides of zero
            weight = np.round(weight * random.choice([1, 4])) / 4
        weight[random.random(size) < random.choice([0, 0.3, 0.9])] = 0
        owner = random.integers(0, 4, size)
        task = int(random.integers(1, 4))
        mine = max(1, int((owner == task).sum()))
        half = (random.integers(0, mine) + 0.5) / mine  # rounds to even
        edges = [0, 1e-9, 0.5, 1 / 3, 0.75, half, 1 - 1e-9]
        yield weight, owner, task, float(random.choice(edges))


def test_pruning_frees_what_the_library_frees(engine):
    layers = list(random_layers(1000))
    found = engine.evaluate(
        """layers => layers.map(([weight, owner, task, fraction]) => {
          const network = {
            weights: [Float64Array.from(weight)],
            owners: [Uint8Array.from(owner)],
            stale: [new Float64Array(weight.length)],
          }
          prune(network, task, fraction)
          return [[...network.weights[0]], [...network.owners[0]]]
        })""",
        [[w.tolist(), o.tolist(), t, f] for w, o, t, f in layers],
    )
    for (weight, owner, task, fraction), (values, owners) in zip(
        layers, found
    ):
        right, whose = torch.tensor(weight), torch.tensor(owner).byte()
        free_up_to(right, whose, task, cutoff(right, whose, task, fraction))
        assert owners == whose.tolist()
        assert values == right.tolist()


def random_network(hidden: int, activation: str, seed: int):
    """A trunk in float64, its owners, and the heads of three tasks."""
    torch.manual_seed(seed)
    act = nn.Tanh if activation == "tanh" else nn.ReLU
    trunk = nn.Sequential(
        nn.Linear(2, hidden), act(), nn.Linear(hidden, hidden), act()
    ).double()
    owners = [
        torch.randint(0, 4, trunk[layer].weight.shape) for layer in (0, 2)
    ]
    return trunk, owners, nn.Linear(hidden, 2).double()


@pytest.mark.parametrize("hidden", [4, 12, 16])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_gradients_are_those_of_torch(engine, hidden, activation):
    for task in (1, 2, 3):
        trunk, owners, head = random_network(hidden, activation, task)
        points, labels = torch.randn(32, 2).double(), torch.randint(2, (32,))
        found = engine.evaluate(
            """({hidden, activation, trunk, owners, head, task, points,
                 labels}) => {
              const network = makeNetwork(hidden, activation, stream("x"))
              const rows = x => Float64Array.from(x)
              network.weights = trunk.weights.map(rows)
              network.biases = trunk.biases.map(rows)
              network.owners = owners.map(o => Uint8Array.from(o))
              network.heads[task] = {weight: rows(head[0]),
                bias: rows(head[1])}
              const gradients = zerosLike(parameters(network, task))
              const loss = backward(network, task, rows(points), labels,
                gradients)
              return [loss, gradients.map(g => [...g])]
            }""",
            {
                "hidden": hidden,
                "activation": activation,
                "trunk": {
                    "weights": [flat(trunk[i].weight) for i in (0, 2)],
                    "biases": [flat(trunk[i].bias) for i in (0, 2)],
                },
                "owners": [flat(o) for o in owners],
                "head": [flat(head.weight), flat(head.bias)],
                "task": task,
                "points": flat(points),
                "labels": labels.tolist(),
            },
        )
        with torch.no_grad():
            for layer, owner in zip((0, 2), owners):
                trunk[layer].weight *= (owner > 0) & (owner <= task)
        loss = F.cross_entropy(head(trunk(points)), labels)
        loss.backward()
        assert abs(found[0] - loss.item()) < 1e-10
        wanted = [*trunk.parameters(), *head.parameters()]
        for mine, parameter in zip(found[1], wanted):
            assert parameter.grad is not None
            torch.testing.assert_close(
                exact(mine),
                parameter.grad.flatten(),
                rtol=0,
                atol=1e-10,
            )


def exact(values: list) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def flat(tensor: torch.Tensor) -> list:
    return tensor.detach().flatten().tolist()


RECORDED = """() => {
  const run = makeRun({...DEFAULTS, order: ["disc", "quadrants", "stripes"]})
  const start = toState(run), stages = []
  while (run.current < 3) {
    if (isOver(run)) {
      advance(run)
      if (run.stage !== "prune") stages.push([])
      if (run.stage === "train" && run.current === 2) {
        start.networks.push(toState(run).networks[0])
      }
      continue
    }
    if (!stages.length) stages.push([])
    const before = Uint32Array.from(run.random)
    const {inputs, labels} = nextBatch(run)
    stages.at(-1).push([[...inputs], [...labels]])
    run.random = before
    advance(run)
  }
  return [start, stages, toState(run)]
}"""


def test_two_tasks_are_trained_and_pruned_as_in_torch(engine):
    """From the same start, on the same batches, for the whole protocol."""
    script = RECORDED.replace("DEFAULTS", json.dumps(DEFAULTS))
    start, stages, end = engine.evaluate(script)
    assert [len(stage) for stage in stages] == [1500, 750, 1500, 750, 0]
    first, second = start["networks"]
    tanh = nn.Tanh()
    trunk = nn.Sequential(nn.Linear(2, 12), tanh, nn.Linear(12, 12), tanh)
    net = PackNet(trunk.double(), 12)
    net.trunk.load_state_dict(
        {k: exact(v) for k, v in first["trunk"].items()}
    )
    for number, made in ((1, first), (2, second)):
        net.add_task(f"task {number}", 2)
        head = made["heads"][str(number)].items()
        net.heads[-1].load_state_dict({k: exact(v) for k, v in head})
        train, retrain, *_ = stages[2 * number - 2 :]
        follow(net, train, DEFAULTS["rate"])
        net.prune(DEFAULTS["fractions"][number - 1])
        follow(net, retrain, DEFAULTS["rate"] * DEFAULTS["retrainRate"])
    found = end["networks"][0]
    for name, owner in net.owner.items():
        theirs = torch.tensor(found["owner"][name])
        theirs[theirs == 3] = 0  # the third task has been given what is free
        assert torch.equal(theirs, owner.long())
    for name, tensor in net.trunk.state_dict().items():
        wanted = exact(found["trunk"][name])
        assert (tensor - wanted).abs().max() < 1e-9, name
    for number, module in enumerate(net.heads, start=1):
        for name, tensor in module.state_dict().items():
            wanted = exact(found["heads"][str(number)][name])
            assert (tensor - wanted).abs().max() < 1e-9


def follow(net: PackNet, batches: list, rate: float) -> None:
    """Train on recorded batches, with a fresh optimiser."""
    parameters = [*net.trunk.parameters(), *net.heads[-1].parameters()]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    net.guard(optimizer)
    for inputs, labels in batches:
        points = exact(inputs).view(-1, 2)
        optimizer.zero_grad()
        F.cross_entropy(net(points), torch.tensor(labels).long()).backward()
        optimizer.step()


def test_random_numbers_and_tanh_are_as_good_as_the_librarys(engine):
    found = engine.evaluate(
        """() => {
          const random = stream("a test"), many = []
          for (let i = 0; i < 20000; i++) many.push(normal(random))
          const off = []
          for (let x = -25; x < 25; x += 0.0137) {
            off.push(Math.abs(tanh(x) - Math.tanh(x)))
            off.push(Math.abs(exp(x) / Math.exp(x) - 1))
          }
          return [many, Math.max(...off), [0.5, 1.5, 2.5].map(roundHalfEven),
            [1, 4, 9, 49].map(student)]
        }"""
    )
    values = np.array(found[0])
    assert abs(values.mean()) < 0.03 and abs(values.std() - 1) < 0.02
    assert found[1] < 1e-15
    assert found[2] == [round(0.5), round(1.5), round(2.5)]
    np.testing.assert_allclose(found[3], t.ppf(0.975, [1, 4, 9, 49]), 2e-3)


def test_the_modules_are_modules_that_import_what_they_use(browser):
    names = [*ENGINE, *(name for name in SHOWN if name != "controls")]
    with serve(Path(str(HERE))) as address:
        page = browser.new_page()
        page.goto(f"{address}/document.html")
        page.add_script_tag(content=common("common.js"))
        page.evaluate(
            "names => Promise.all(names.map(n => import(`/${n}.js`)))", names
        )
        page.close()


# The record


def test_the_recorded_table_shows_what_the_page_says():
    errors = recorded("playground").groupby(["method", "task"]).error.mean()
    cost = errors["packnet"] - errors["separate"]
    lost = errors["finetune"] - errors["separate"]
    assert (cost[["disc", "quadrants", "spirals"]] < 0).all()
    assert 0 < cost["stripes"] < 4
    assert (lost[["disc", "quadrants", "stripes"]] > 20).all()
    made = recorded("playground").drop_duplicates(["draw", "method"])
    assert made.draw.nunique() == 50
    assert made.seconds.groupby(made.method).mean().max() < 3


def test_the_page_says_how_many_bits_a_task_depends_on(engine):
    bits = engine.evaluate(
        """settings => {
          const run = makeRun(settings, "packnet")
          while (run.current < 2) advance(run)
          return changes(run)[0].all
        }""",
        DEFAULTS,
    )
    page = (ROOT / "book" / "playground.md").read_text("utf-8")
    assert f"{bits:,} bits a task" in " ".join(page.split())


def test_the_record_is_that_of_the_present_code(engine):
    """To the last wrong answer: the arithmetic is the same everywhere."""
    table = recorded("playground").set_index(["draw", "method"])
    for draw in (1, 50):
        for method in ("packnet", "finetune", "heads", "separate"):
            errors = engine.evaluate(
                "([settings, method]) => wholeDraw(settings, method)",
                [{**DEFAULTS, "seed": draw}, method],
            )
            found = [100 * error for error in errors]
            assert found == pytest.approx(table.error[draw, method].tolist())


# The page


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("playground") / "playground.html"
    playground().write(file)
    return file


@pytest.fixture
def page(browser: Browser, written: Path) -> Iterator[Page]:
    yield from opened(browser, written, WIDE)


def wait(page: Page) -> None:
    """Until what was begun has been trained."""
    page.wait_for_selector("body:not(.busy)", timeout=60_000)


def drawn(page: Page) -> None:
    """Until all pictures that were asked for have been drawn."""
    page.wait_for_function("!due")


def test_the_page_without_its_text_is_light():
    html = playground().html
    text = re.sub(r"<[^>]+>", "", read("playground.html"))
    assert len(gzip.compress(html.encode())) - len(text) < 60_000


SMALL = """() => {
  Object.assign(settings, {train: 24, retrain: 12, batch: 8, points: 60,
    fresh: 40})
  act.anew()
}"""


@pytest.mark.parametrize("trap", ["biases", "momentum", "decay"])
def test_a_trap_that_leaks_changes_finished_tasks(page, trap):
    bits, outputs, told = leaked(page, trap)
    assert bits > 0 and outputs[0] != outputs[1]
    assert "Leaking. disc:" in told


@pytest.mark.parametrize("trap", ["", "global", "stale", "hasty"])
def test_other_traps_leave_finished_tasks_as_they_are(page, trap):
    bits, outputs, told = leaked(page, trap)
    assert bits == 0 and outputs[0] == outputs[1]
    assert told == ("Nothing has leaked so far." if trap else "")


def leaked(page: Page, trap: str) -> tuple:
    """Bits changed, a finished task's outputs then and now, the warning."""
    return tuple(
        page.evaluate(
            """trap => {
              act.method("packnet")
              if (trap) element(`trap-${trap}`).click()
              const look = () => [...forward(run().networks[0], 1,
                pointsOf(settings, "disc", "test").inputs).logits].join()
              while (run().current < 2) advance(run())
              const before = look()
              act.stage(); settle(); act.draw(); settle(); show()
              const bits = changes(run())[0].changed
              return [bits, [before, look()], element("leak").textContent]
            }""",
            trap,
        )
    )


ACTIONS = """([count, seed]) => {
  const random = stream("actions", seed), faults = []
  let compared = 0
  const some = n => below(random, n), pick = list => list[some(list.length)]
  const probe = gridInputs.slice(0, 400)
  const outputs = (run, task) =>
    forward(run.networks[0], task, probe).logits.join()
  const known = new WeakMap() // PackNet runs: outputs of finished tasks
  const set = (id, value, event = "change") => {
    element(id).value = value
    element(id).dispatchEvent(new Event(event))
  }
  const click = id => element(id).click()
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "1", "2",
    "1", "2", "Backspace", "x"]
  const all = [
    ...Array(30).fill(() => click("step")),
    ...Array(3).fill(() => click("stage")),
    ...Array(4).fill(() => pick(document.getElementsByName("method"))
      .click()),
    () => some(4) || click("draw"),
    () => some(8) || click("anew"),
    () => { click("play"); click("play") },
    () => set("fraction", some(100) / 100, "input"),
    () => some(8) || set("hidden", 4 + some(13)),
    () => some(8) || set("activation", pick(["tanh", "relu"])),
    () => set("optimiser", pick(["adam", "momentum", "sgd"])),
    () => set("rate", pick([0.001, 0.01, 0.03, 0.3])),
    () => some(8) || set("noise", some(16) / 50),
    () => some(8) || set("seed", pick(["1", "7", "", "-3", "1e9", "x"])),
    () => some(4) || pick(element("order").querySelectorAll("button"))
      .click(),
    () => some(6) || pick([...element("trap-list").querySelectorAll("input")])
      .click(),
    () => document.querySelectorAll("#trap-list input:checked").forEach(
      box => box.click()),
    () => set("walk", some(169), "input"),
    () => pick(element("panels").children).dispatchEvent(
      new Event(pick(["focus", "blur"]))),
    () => click("describe"),
    () => pick(element("mission-list").children).click(),
    () => pick(element("mission-answers").querySelectorAll("input")).click(),
    () => element("pad").dispatchEvent(new KeyboardEvent("keydown",
      {key: pick(keys)})),
    () => pick(["undo", "clear", "add"].map(element)).click(),
    () => { set("csv", pick(["1,2,a\\n-3,4,b\\n5,5,a\\n0,0,b", "no", "",
      "1,2,a\\n3,NaN,b"])); click("read") },
  ]
  for (let i = 0; i < count; i++) {
    pick(all)()
    settle()
    const lane = lanes.packnet
    if (lane) {
      const {biases, momentum, decay} = settings.traps
      if (!known.has(lane)) known.set(lane, {tasks: [], leaky: false})
      const mine = known.get(lane)
      mine.leaky ||= biases || momentum || decay
      while (mine.tasks.length < lane.kept.length) {
        mine.tasks.push(outputs(lane, mine.tasks.length + 1))
      }
      if (!mine.leaky) {
        compared += mine.tasks.length
        mine.tasks.forEach((then, k) => then === outputs(lane, k + 1)
          || faults.push(`action ${i}: task ${k + 1} has changed`))
        if (changes(lane).some(({changed}) => changed)) {
          faults.push(`action ${i}: bits have changed`)
        }
      }
    }
    if (i % 50 === 0) {
      show()
      for (const control of document.querySelectorAll("input, output")) {
        if (/NaN|Infinity|undefined/.test(control.value)) {
          faults.push(`action ${i}: ${control.id} shows ${control.value}`)
        }
      }
      const text = document.querySelector("main").textContent
        .replace(element("python").textContent, "")
      const found = text.match(/.{30}(NaN|Infinity|undefined|null)/)
      if (found) faults.push(`action ${i}: ${found[0]}`)
    }
    if (faults.length > 5) break
  }
  return [faults, compared]
}"""


def test_random_actions_break_nothing(page):
    """A hundred thousand with `PACKNET_ACTIONS=100000`."""
    page.evaluate(SMALL)
    actions = int(os.environ.get("PACKNET_ACTIONS", "3000"))
    compared = 0
    for seed in range(-(-actions // 3000)):
        count = min(actions - 3000 * seed, 3000)
        faults, looks = page.evaluate(ACTIONS, [count, seed])
        assert faults == []
        compared += looks
    print(f"{actions} actions, {compared} looks at finished tasks")
    assert compared > actions / 10


# Out and back


DRAWN = """method => {
  act.method(method)
  settle()
  for (let i = 0; i < 3; i++) { act.stage(); settle() }
  for (let i = 0; i < 7; i++) element("step").click()
  return JSON.stringify(toState(run()))
}"""


@pytest.mark.parametrize("method", ["packnet", "finetune", "separate"])
def test_a_link_shows_the_same_network_to_the_bit(
    browser, page, written, method
):
    state = page.evaluate(DRAWN, method)
    link = page.evaluate("linkTo(run())")
    assert page.evaluate("location.href") == link
    other = browser.new_page()
    other.goto(link)
    other.wait_for_selector("body[data-ready]")
    assert other.evaluate("JSON.stringify(toState(run()))") == state
    for which in (page, other):  # and goes on as the first would have
        which.evaluate("() => { act.stage(); settle() }")
    later = [p.evaluate("JSON.stringify(toState(run()))")
             for p in (page, other)]  # fmt: skip
    assert later[0] == later[1] and later[0] != state
    other.close()


@pytest.mark.parametrize("letters", ["", "x", "AAAA", "q1YqVrJSUKoFAA"])
def test_an_address_that_holds_nothing_is_told(browser, written, letters):
    for page in opened(browser, written, WIDE):
        page.goto(f"{written.as_uri()}#playground={letters}")
        page.reload()
        page.wait_for_selector("body[data-ready]")
        expect(page.locator("#out-told")).to_contain_text("no playground")


@pytest.mark.parametrize("method", ["packnet", "finetune", "heads"])
def test_a_saved_file_goes_on_in_python(page, tmp_path, method):
    page.evaluate(DRAWN, method)
    page.evaluate("element('out').open = true")
    with page.expect_download() as download:
        page.click("#save")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    scope = {"__name__": "a_cell"}
    code = page.inner_text("#python")
    exec(code.replace("playground.json", str(file)), scope)
    same_network(page, scope["net"])
    same_network(page, restore(file))


def same_network(page: Page, net) -> None:
    points = torch.randn(200, 2, dtype=torch.float64)
    state, logits = page.evaluate(
        """points => [toState(run()), run().networks[0].heads.slice(1).map(
          (_, i) => [...forward(run().networks[0], i + 1,
            Float64Array.from(points)).logits])]""",
        flat(points),
    )
    assert net.tasks == [task["name"] for task in state["tasks"]]
    assert [list(r.fractions) for r in net.records] == [
        task["fractions"] for task in state["tasks"]
    ]
    saved = state["networks"][0]
    for name, owner in net.owner.items():
        assert owner.tolist() == saved["owner"][name]
    for name, tensor in net.trunk.state_dict().items():
        assert tensor.tolist() == saved["trunk"][name]
    for task, wanted in zip(net.tasks, logits):
        with net.view(task), torch.no_grad():
            found = net(points).flatten()
        assert (found - exact(wanted)).abs().max() < 1e-12
    if any((o == len(net.tasks)).any() for o in net.owner.values()):
        net.prune(0.5)  # and the library goes on from there


def test_separate_networks_are_no_packnet(page, tmp_path):
    file = tmp_path / "playground.json"
    file.write_text(page.evaluate(DRAWN, "separate"))
    with pytest.raises(ValueError, match="separate networks"):
        restore(file)


# By keyboard, on a phone, for everybody


def press(page: Page, target: str, key: str = "Enter", times: int = 1):
    page.focus(target)
    for _ in range(times):
        page.keyboard.press(key)


def stages(page: Page, count: int) -> None:
    for _ in range(count):
        press(page, "#stage")
        wait(page)


def method(page: Page, name: str) -> None:
    press(page, f"input[value={name}]", "Space")
    wait(page)


def forget(page):
    method(page, "finetune")
    stages(page, 2)


def prevent(page):
    method(page, "packnet")
    stages(page, 4)


def fill_up(page):
    method(page, "packnet")
    press(page, "#fraction", "Home")
    stages(page, 4)


def reorder(page):
    method(page, "packnet")
    press(page, "#settings summary")
    for _ in range(2):
        press(page, "#draw")
        wait(page)
        press(page, "#order li:first-child button:last-child")
        press(page, "#order li:nth-child(3) button:last-child")
    press(page, "#order li:first-child button:last-child")
    press(page, "#draw")
    wait(page)


def free_too_much(page):
    method(page, "packnet")
    press(page, "#fraction", "End")
    stages(page, 3)


def leak_and_mend(page):
    method(page, "packnet")
    press(page, "#traps summary")
    press(page, "#trap-decay", "Space")
    stages(page, 4)
    expect(page.locator("#leak")).to_contain_text("Leaking")
    expect(page.locator("#mission-state")).to_contain_text("It has leaked")
    press(page, "#trap-decay", "Space")
    press(page, "#anew")
    stages(page, 4)


def paint(page):
    method(page, "packnet")
    press(page, "#own summary")
    page.focus("#pad")
    for row in range(7):
        for column in range(6):
            page.keyboard.press("12"[(row + column) % 2])
            page.keyboard.press("ArrowRight" if row % 2 else "ArrowLeft")
        page.keyboard.press("ArrowUp")
    press(page, "#add")
    stages(page, 4)


def test_no_key_is_lost_before_the_picture_comes(page):
    """A slow machine may take the next key first; here no picture comes."""
    page.evaluate("() => { window.requestAnimationFrame = () => 0 }")
    press(page, "#mission-list button:nth-child(3)")
    press(page, "#mission-answers input", "Space")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "mission-set"
    press(page, "input[value=packnet]", "Space")
    for _ in range(2):  # the slider is for the task that is pruned next
        press(page, "#fraction", "Home")
        press(page, "#fraction", "ArrowRight", 5)
        page.evaluate(
            """() => {
              act.stage(); settle(); act.stage(); settle()
            }"""
        )
    assert page.evaluate("settings.fractions.slice(0, 2)") == [0.05, 0.05]


MISSIONS = [forget, prevent, fill_up, reorder, free_too_much, leak_and_mend,
            paint]  # fmt: skip


@pytest.mark.parametrize("number", range(7), ids=lambda i: f"mission-{i + 1}")
def test_a_mission_is_done_by_keyboard_alone(page, number):
    press(page, f"#mission-list button:nth-child({number + 1})")
    state = page.locator("#mission-state")
    expect(state).to_contain_text("Answer first")
    press(page, "#mission-answers input", "Space")
    expect(state).to_contain_text("Now try it")
    MISSIONS[number](page)
    expect(state).to_contain_text("✓")
    press(page, "#mission-next")
    expect(page.locator("#mission-title")).to_contain_text(
        f"Mission {(number + 1) % 7 + 1}"
    )


@pytest.mark.parametrize("number", range(7), ids=lambda i: f"mission-{i + 1}")
def test_a_mission_is_set_up_whatever_was_done_before(page, number):
    page.evaluate(
        """() => {
          Object.assign(settings, {fractions: [0, 0.9, 0.5], hidden: 5,
            order: ["spirals", "disc", "stripes", "quadrants"]})
          settings.traps.biases = true
          act.anew(); act.method("heads"); act.step()
        }"""
    )
    page.click(f"#mission-list button:nth-child({number + 1})")
    expect(page.locator("#mission-set")).to_be_hidden()
    page.check("#mission-answers label:last-child input")
    page.click("#mission-set")
    wanted = "finetune" if number == 0 else "packnet"
    found = page.evaluate("settings")
    assert found == {**DEFAULTS, "method": wanted, "own": {}}
    assert page.evaluate("run().steps") == 0
    control = page.locator(":focus")
    expect(control).to_be_in_viewport()
    names = "play play fraction draw fraction trap-decay pad".split()
    assert control.get_attribute("id") == names[number]


def test_orders_are_compared_where_nothing_else_differs(page):
    page.evaluate(SMALL)
    page.click("#mission-list button:nth-child(4)")
    page.check("#mission-answers label:last-child input")
    page.evaluate(
        """() => {
          const draw = () => { act.draw(); settle(); show() }
          act.method("packnet"); draw()
          setFraction(0.1); act.anew(); draw()
          swapTasks(0, 1); draw()
          settings.fractions[0] = 0.2; swapTasks(0, 2); draw()
        }"""
    )
    state = page.locator("#mission-state")
    expect(state).to_contain_text("Now try it")
    assert state.inner_text().count("spirals") == 1
    page.evaluate(
        """() => {
          for (const i of [0, 1]) {
            swapTasks(i, i + 1); act.draw(); settle(); show()
          }
        }"""
    )
    expect(state).to_contain_text("✓")
    assert state.inner_text().count("spirals") == 3


def test_three_quarters_of_the_first_tasks_weights_can_go(engine):
    """What the fifth mission calls right, with the settings it opens with."""
    script = """([settings, share]) => {
      const run = makeRun({...settings, fractions: [share, 0.5, 0.5]},
        "packnet"), found = []
      while (run.current < 2) {
        if (isOver(run)) found.push(errors(run)[0])
        advance(run)
      }
      return found.at(-1) - found[0]
    }"""
    rises = [
        engine.evaluate(script, [DEFAULTS, share])
        for share in (0.5, 0.75, 0.9)
    ]
    assert rises[0] < 0.05 and rises[1] < 0.05 and rises[2] >= 0.05


def test_a_mission_says_what_came_of_it(page):
    page.evaluate(
        "() => { settings.train = 300; settings.retrain = 100; act.anew() }"
    )
    state = page.locator("#mission-state")
    page.check("#mission-answers label:first-child input")
    page.evaluate("() => { act.stage(); settle(); act.stage(); settle() }")
    expect(state).to_contain_text(
        "It turned out differently: “It rises towards guessing, 50 %”."
    )
    was, now = page.evaluate("[whenFinished(run(), 1), errors(run())[0]]")
    told = f"disc: {100 * was:.1f} % when finished, {100 * now:.1f} % now"
    expect(state).to_contain_text(told)
    before = state.inner_text()  # read out: it does not follow each step
    page.evaluate(
        """() => {
          for (let i = 0; i < 200; i++) advance(run())
          after(); show()
        }"""
    )
    assert page.evaluate("errors(run())[0]") != now
    assert state.inner_text() == before
    page.click("#mission-list button:nth-child(6)")
    page.check("#mission-answers label:last-child input")
    page.evaluate(
        """() => {
          act.method("packnet")
          for (const bad of [true, false]) {
            settings.traps.decay = bad
            act.anew()
            while (run().current < 2) { act.stage(); settle() }
            act.stage(); settle(); show()
            said = element("mission-state").textContent
            if (bad && !said.includes("Now mend it")) throw new Error(said)
          }
        }"""
    )
    expect(state).to_contain_text("You were right.")
    expect(state).not_to_contain_text("Now mend it")
    page.evaluate(
        """() => {
          MISSIONS.forEach((_, i) => reached.set(i, ""))
          act.step(); show()
        }"""
    )
    expect(state).to_contain_text("That was the last mission")
    expect(page.locator("#mission-next")).to_be_hidden()


def test_a_task_with_a_tenth_of_wrong_answers_was_not_learnt(page):
    page.evaluate(
        "() => { act.method('packnet'); setFraction(0); act.draw();"
        " settle() }"
    )
    place = page.locator("#place")
    expect(place).to_contain_text("but not all were learnt")
    expect(place).to_contain_text("quadrants, stripes, spirals. None was for")
    expect(page.locator(".panel").last).not_to_contain_text("learnt")


def test_the_button_says_that_it_plays_again(page):
    page.evaluate(SMALL)
    play = page.locator("#play")
    page.evaluate("() => { act.draw(); settle() }")
    expect(play).to_have_text("Play again")
    page.click("#anew")
    expect(play).to_have_text("Play")


def test_what_was_said_in_words_is_shown_no_longer_than_it_is_true(page):
    told = page.locator("#told")
    shown = "() => element('told').clientHeight > 1"
    page.evaluate("() => { act.stage(); settle() }")
    page.evaluate("tellStage()")
    assert not page.evaluate(shown)  # it is said, for those who listen
    page.click("#describe")
    assert page.evaluate(shown)
    expect(told).to_contain_text("Task 1 of 4, disc: training, step 1,500")
    page.click("#step")
    assert not page.evaluate(shown)


def test_it_plays_and_pauses(page):
    page.click("#play")
    expect(page.locator("#place")).to_contain_text("Task 2", timeout=60_000)
    page.click("#play")
    expect(page.locator("#play")).to_have_text("Play")
    steps = page.evaluate("run().steps")
    page.wait_for_timeout(200)
    assert page.evaluate("run().steps") == steps


def test_half_of_the_picture_is_drawn_in_a_frame(page):
    """Also at the end of a stage, and where something is pointed at."""
    page.evaluate(SMALL)
    page.evaluate(
        """() => {
          window.seen = new Map() // by the time of the frame
          for (const name of ["drawNetwork", "drawPanels"]) {
            const draw = window[name]
            window[name] = (...given) => {
              const frame = document.timeline.currentTime
              seen.set(frame, [...seen.get(frame) ?? [], name])
              act.view(given[1].at % 3)
              return draw(...given)
            }
          }
          element("speed").value = "2"
          act.method("packnet")
          act.play()
        }"""
    )
    page.wait_for_function("atEnd(run())", timeout=60_000)
    drawn = page.evaluate("[...seen.values()]")
    assert len(drawn) > 20
    assert {len(names) for names in drawn} == {1}
    turns = [names[0] for names in drawn]
    assert all(a != b for a, b in pairwise(turns[2:19]))
    page.evaluate("() => { seen.clear(); pause() }")
    page.wait_for_function("seen.size > 1")
    both = page.evaluate("[...seen.values()].slice(0, 2).flat()")
    assert sorted(both) == ["drawNetwork", "drawPanels"]


def test_another_method_is_brought_to_the_same_moment(page):
    page.evaluate(
        "() => { act.method('finetune'); act.stage(); settle();"
        " act.stage(); settle() }"
    )
    page.check("input[value=packnet]")
    wait(page)
    place = page.evaluate("[run().current, run().stage, run().at]")
    assert place == [2, "train", 1500]
    expect(page.locator("#bits")).to_have_text("0")


def test_it_plays_on_when_the_method_is_switched(page):
    page.evaluate("() => { act.stage(); settle() }")
    page.click("#play")
    page.wait_for_function(
        "run().current === 2 && run().at > 100", timeout=60_000
    )
    page.check("input[value=packnet]")
    page.wait_for_function(
        "run().current === 2 && run().at > 200", timeout=60_000
    )
    expect(page.locator("#play")).to_have_text("Pause")
    assert page.evaluate("run().method") == "packnet"


def test_a_setting_is_dragged_while_it_plays(page):
    """The pictures in between leave the slider where the reader holds it."""
    page.click("#settings summary")
    page.click("#play")
    slider = page.locator("#hidden")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, y)
    page.wait_for_function("run().at > 100", timeout=60_000)
    expect(slider).to_have_value("4")
    page.mouse.up()
    assert page.evaluate("settings.hidden") == 4


def test_switching_the_method_makes_it_no_faster(page):
    most = page.evaluate(
        """async () => {
          Object.assign(settings, {train: 100000})
          element("speed").value = "2"
          act.play()
          for (const name of ["heads", "finetune", "heads", "finetune"]) {
            act.method(name)
          }
          const next = () => new Promise(requestAnimationFrame)
          let most = 0
          for (let i = 0; i < 20; i++) {
            const before = run().steps
            await next()
            most = Math.max(most, run().steps - before)
          }
          pause()
          return most
        }"""
    )
    assert most == 2


def test_a_whole_run_does_not_wait_for_pictures(page):
    page.evaluate(SMALL)
    page.evaluate(
        "() => { window.requestAnimationFrame = () => 0; act.draw() }"
    )
    page.wait_for_function("!goal", timeout=60_000, polling=100)
    assert page.evaluate("atEnd(run())")


def test_the_end_of_a_stage_is_said_in_words_while_it_plays(page):
    page.evaluate(SMALL)
    page.evaluate(
        """() => {
          window.said = []
          new MutationObserver(() => said.push(element("told").textContent))
            .observe(element("told"), {childList: true})
          performance.now = () => 0 // no slice is cut short
          act.method("packnet")
          act.play()
        }"""
    )
    page.wait_for_function("!goal", timeout=60_000)
    page.wait_for_function("said.length > 0")
    said = page.evaluate("said")
    for i, name in enumerate(DEFAULTS["order"][:3]):
        stage, task = said[2 * i : 2 * i + 2]
        assert stage.startswith(f"Task {i + 1} of 4, {name}: retraining")
        assert task.startswith(f"Task {i + 2} of 4,")
        assert f"{name}: error" in task and "0 of its" in task
    assert len(said) == 7 and said[6].startswith("All 4 tasks")


def around(inside: str, sandbox: str, folder: Path) -> Path:
    """A page with a frame of such a sandbox around the page `inside`."""
    file = folder / "around.html"
    file.write_text(
        f'<!doctype html><iframe {sandbox} style="width: 100%; height: 99vh" '
        f'srcdoc="{escape(inside)}"></iframe>'
    )
    return file


def inside_of(page: Page | Frame) -> Frame:
    """The frame on a page, or in a frame, as soon as it is there."""
    element = page.wait_for_selector("iframe")
    assert element is not None
    frame = element.content_frame()
    assert frame is not None
    return frame


@pytest.mark.parametrize("form", ["none", "allow-scripts"])
def test_in_a_frame_without_an_address_no_link_is_offered(
    browser, tmp_path, form
):
    """As in an output of Colab, or where a frame may do nothing else."""
    inside = f"<!doctype html><body>{playground()._repr_html_()}"
    sandbox = "" if form == "none" else f'sandbox="{form}"'
    file = around(inside, sandbox, tmp_path)
    with browser.new_page() as page:
        page.goto(file.as_uri())
        frame = inside_of(inside_of(page))
        frame.wait_for_selector("body[data-ready]")
        frame.click("#out summary")
        link = frame.locator("#link")
        if form == "none":
            link.click()
            start = f"{file.as_uri()}#playground="
            page.wait_for_url(lambda url: url.startswith(start))
        else:
            expect(link).to_be_hidden()
            expect(frame.locator("#save")).to_be_visible()
        frame.evaluate(SMALL)
        frame.click("#draws summary")
        frame.click("#draws-start")
        expect(frame.locator("#draws-told")).to_contain_text(
            "50 of 50", timeout=60_000
        )


@pytest.mark.parametrize(
    ("form", "saves"),
    [
        (None, True),
        ("allow-scripts allow-same-origin allow-downloads", True),
        ("allow-scripts allow-same-origin", False),
        ("allow-scripts", False),
    ],
)
def test_where_no_file_may_be_saved_its_text_can_be_copied(
    browser, written, tmp_path, form, saves
):
    sandbox = "" if form is None else f'sandbox="{form}"'
    file = around(written.read_text(), sandbox, tmp_path)
    with browser.new_page() as page:
        page.goto(file.as_uri())
        frame = inside_of(page)
        frame.wait_for_selector("body[data-ready]")
        frame.click("#out summary")
        came: list[str] = []
        page.on("download", lambda one: came.append(one.suggested_filename))
        if saves:
            with page.expect_download():
                frame.click("#save")
        else:
            frame.click("#save")
            page.wait_for_timeout(300)
        told = frame.locator("#out-told")
        expect(told).to_contain_text("playground.json")
        assert came == (["playground.json"] if saves else [])
        assert told.inner_text().startswith("Saved") is saves
        copied = frame.locator("#file-text")
        if saves:
            expect(copied).to_be_hidden()
            return
        saved = tmp_path / "playground.json"
        saved.write_text(copied.input_value())
        assert restore(saved).tasks == [DEFAULTS["order"][0]]


def test_a_leak_is_not_read_out_at_each_step(page):
    loud = page.locator("[aria-live=polite]").evaluate_all(
        "all => all.map(e => e.id)"
    )
    assert sorted(loud) == ["mission-state", "out-told", "pad-told", "told"]


def test_there_is_no_handle_where_nothing_is_pruned(page):
    handle = page.locator("#cut-handle")
    expect(handle).to_be_hidden()
    page.evaluate(SMALL)
    page.evaluate("() => { act.method('packnet'); show() }")
    expect(handle).to_be_visible()
    page.evaluate("() => { act.draw(); settle(); show() }")
    expect(page.locator("#cut-told")).to_contain_text("is not pruned")
    expect(handle).to_be_hidden()


def cut(page: Page) -> dict:
    """What is shown of the next pruning, and what it would do."""
    page.evaluate("() => show()")
    return page.evaluate(
        """() => {
          const limits = cutoffs(run().networks[0], run().current,
            fraction(run())), canvas = element("sizes")
          const {data, width} = canvas.getContext("2d").getImageData(0, 0,
            canvas.width, 26 * canvas.width / canvas.clientWidth)
          const ink = [] // where the first layer's handle is, in pixels
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] > 250 && data[i] + data[i + 1] < 60) {
              ink.push(i / 4 % width * canvas.clientWidth / width)
            }
          }
          return {share: fraction(run()), limit: limits[0],
            handle: ink.reduce((a, b) => a + b, 0) / ink.length,
            label: element("cut-label").textContent,
            told: element("cut-told").textContent,
            spoken: element("fraction").ariaValueText,
            slider: +element("fraction").value,
            frees: run().networks[0].weights.flatMap((w, layer) => [...w]
              .filter(x => Math.abs(x) <= (limits[layer] ?? -1))).length,
            scrolled: scrollY}
        }"""
    )


def agrees(found: dict) -> None:
    """Picture, slider and words say the same as the network."""
    percent = f"{round(100 * found['share'])}\u00a0%"
    assert found["slider"] == found["share"]
    assert found["label"].endswith(f"disc to free: {percent}")
    assert found["told"].endswith(f"would free {found['frees']} of 168.")
    assert found["spoken"] == f"{percent}, frees {found['frees']} of 168"


def test_the_cutoff_is_dragged_among_the_sizes_by_mouse(page):
    page.evaluate("() => { act.method('packnet'); act.stage(); settle() }")
    drawn(page)  # nothing moves any more
    canvas = page.locator("#sizes")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    seen = []
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 28)
    page.mouse.down()
    for place in (0.9, 0.6, 0.35, 0.0):
        page.mouse.move(box["x"] + place * box["width"], box["y"] + 28)
        seen.append(cut(page))
        agrees(seen[-1])
    page.mouse.up()
    assert all(a["share"] > b["share"] for a, b in pairwise(seen))
    assert all(a["handle"] > b["handle"] for a, b in pairwise(seen))
    assert seen[-1]["share"] == 0 and seen[-1]["frees"] == 0
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 28)
    assert cut(page)["share"] == 0  # it was let go
    page.mouse.down()  # and can be taken up again
    page.mouse.up()
    found = cut(page)
    agrees(found)
    assert found["share"] > 0
    page.evaluate("settings.traps.global = true")
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 28)
    assert page.evaluate(
        """() => {
          const x = element("sizes").clientWidth * 0.5
          const limit = cutoffs(run().networks[0], 1, fraction(run()),
            settings.traps)[0]
          const most = largest(run().networks[0], 1)
          const at = 8 + (element("sizes").clientWidth - 16)
            * Math.sqrt(limit / most)
          return Math.abs(at - x)
        }"""
    ) < 8  # fmt: skip


def test_the_cutoff_is_dragged_by_a_finger_that_may_scroll(browser, written):
    size = {"width": 390, "height": 844}
    for page in opened(
        browser, written, viewport=size, has_touch=True, is_mobile=True
    ):
        page.evaluate(
            "() => { act.method('packnet'); act.stage(); settle() }"
        )
        drawn(page)
        page.locator("#cut-part").scroll_into_view_if_needed()
        box = page.locator("#sizes").bounding_box()
        assert box is not None
        finger = page.context.new_cdp_session(page)

        def touch(kind, *at, finger=finger):
            finger.send(
                "Input.dispatchTouchEvent",
                {
                    "type": kind,
                    "touchPoints": [{"x": at[0], "y": at[1]}] if at else [],
                },
            )

        def drag(start, end, touch=touch):
            touch("touchStart", *start)
            for step in range(1, 11):
                at = [a + (b - a) * step / 10 for a, b in zip(start, end)]
                touch("touchMove", *at)
            touch("touchEnd")

        x, y = box["x"], box["y"] + 28
        before = cut(page)
        agrees(before)
        drag((x + 300, y), (x + 40, y))
        dragged = cut(page)
        agrees(dragged)
        assert 0 < dragged["share"] < before["share"]
        assert dragged["handle"] < before["handle"]
        assert dragged["scrolled"] == before["scrolled"]
        touch("touchStart", x + 250, y)
        touch("touchEnd")
        tapped = cut(page)
        agrees(tapped)
        assert tapped["share"] > dragged["share"]
        drag((x + 60, y), (x + 60, y - 150))
        page.wait_for_function("top => scrollY > top", arg=tapped["scrolled"])
        scrolled = cut(page)
        assert scrolled["scrolled"] > tapped["scrolled"]
        assert scrolled["share"] == tapped["share"]


def test_the_cutoff_is_set_by_keyboard(page):
    page.evaluate("() => { act.method('packnet'); act.stage(); settle() }")
    before = cut(page)
    press(page, "#fraction", "ArrowRight", 3)
    after = cut(page)
    agrees(after)
    assert after["share"] == pytest.approx(before["share"] + 0.03)
    assert after["handle"] > before["handle"]
    press(page, "#fraction", "Home")
    none = cut(page)
    agrees(none)
    assert none["share"] == 0 and none["handle"] < after["handle"]


def test_a_task_without_a_weight_has_nothing_to_free(page):
    page.evaluate(SMALL)
    page.evaluate(
        """() => {
          act.method("packnet"); setFraction(0)
          while (run().current < 2) { act.stage(); settle() }
          show()
        }"""
    )
    expect(page.locator("#cut-told")).to_have_text(
        "quadrants owns no weight: nothing was free for it."
    )


def test_the_title_of_the_bar_is_true_of_the_method(page):
    title = page.locator("#owner-title")
    expect(title).to_have_text("Who trained the weights last")
    page.evaluate("act.method('packnet')")
    expect(title).to_have_text("Who owns the weights")


def test_the_chart_shows_all_errors_within_it(page):
    """Also those over 60 %, and before the first step."""
    assert page.locator("#chart .end").count() == 0
    lowest, levels = page.evaluate(
        """() => {
          const {steps, errors: all} = run().history
          steps.push(25)
          all.push([0.85])
          run().steps = 25
          show()
          const path = document.querySelector("#chart .line")
          return [path.getBBox().y,
            document.querySelectorAll("#chart .grid").length]
        }"""
    )
    assert levels == 6  # to 100 %
    assert lowest > 22


def test_on_a_phone_all_buttons_are_on_the_screen(browser, written):
    size = {"width": 390, "height": 844}
    for page in opened(browser, written, viewport=size):
        for button in page.locator(".buttons > *").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_with_reduced_motion_only_stages_are_shown(browser, written):
    for page in opened(browser, written, WIDE, reduced_motion="reduce"):
        drawn(page)  # what was asked for before it plays
        seen = page.evaluate(
            """async () => {
              const places = new Set()
              new MutationObserver(() => places.add(run().at)).observe(
                element("place"), {childList: true, characterData: true,
                  subtree: true})
              act.play()
              while (run().current < 2) {
                await new Promise(done => setTimeout(done, 100))
              }
              act.play()
              for (let frame = 0; frame < 3; frame++) { // what was asked for
                await new Promise(requestAnimationFrame)
              }
              return [...places]
            }"""
        )
        # One place a stage, and where it was stopped; some of the next
        # stage's steps may be done by then, more on a quick machine.
        assert 1 <= len(seen) <= 3


def test_pointing_tells_of_a_weight_and_of_a_task(page):
    page.evaluate("() => { act.method('packnet'); act.draw(); settle() }")
    press(page, "#walk", "ArrowRight", 30)
    value, owner = page.evaluate(
        "[run().networks[0].weights[1][5], run().networks[0].owners[1][5]]"
    )
    told = page.locator("#pointed")
    expect(told).to_contain_text(f"{abs(value):.3f}")
    expect(told).to_contain_text(DEFAULTS["order"][owner - 1])
    read = page.get_attribute("#walk", "aria-valuetext")
    assert read == told.inner_text()
    page.hover(".panel >> nth=1")
    title = page.locator("#network-title")
    expect(title).to_contain_text("as quadrants")
    canvas = page.locator("#network")
    x, y = page.evaluate(
        """() => {
          const {heads} = layout(run(), element("network").clientWidth)
          return [heads[0].x, heads[0].y] }"""
    )
    canvas.hover(position={"x": x, "y": y})
    expect(title).to_contain_text("as disc")
    page.hover("h1")
    expect(title).to_have_text("The network")


def test_fifty_draws_are_made_beside_the_page_and_can_be_stopped(page):
    page.evaluate(SMALL)
    page.click("#draws summary")
    page.click("#draws-start")
    told = page.locator("#draws-told")
    expect(told).to_contain_text("50 of 50", timeout=60_000)
    found = page.inner_text("#draws-table tbody tr:nth-child(2) td >> nth=0")
    errors = page.evaluate(
        """[...Array(50).keys()].map(i => 100 * wholeDraw({...settings,
          seed: i + 1}, "packnet")[0])"""
    )
    assert found == str(mean_interval(errors))
    page.evaluate("Object.assign(settings, {train: 3000})")
    page.click("#draws-start")
    page.click("#draws-stop")
    expect(page.locator("#draws-start")).to_be_enabled()


def test_a_pasted_table_becomes_the_next_task(page):
    page.click("#own summary")
    page.fill("#csv", "x,y,class\n2,2,no\n-4,0,yes\n1,-1,no\n0,3,yes")
    page.click("#read")
    expect(page.locator("#pad-told")).to_contain_text("2 full points, 2")
    page.click("#add")
    assert page.evaluate("settings.order[1]") == "own 1"
    assert page.evaluate("settings.own['own 1'][1]") == [-1, 0, 1]
    page.fill("#csv", "1,2,a")
    page.click("#read")
    expect(page.locator("#pad-told")).to_have_text(
        "There are 1 classes: give two."
    )


def test_points_are_painted_by_mouse_and_finger(browser, written):
    for page in opened(browser, written, WIDE, has_touch=True):
        page.click("#own summary")
        pad = page.locator("#pad")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 30, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + 200, box["y"] + 30, steps=20)
        page.mouse.up()
        assert page.evaluate("pad.rows.length") > 5
        page.check("input[name=brush][value='0']")
        page.touchscreen.tap(box["x"] + 100, box["y"] + 200)
        assert page.evaluate("pad.rows.at(-1)[2]") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 820, 390])
def test_the_playground_keeps_nobody_out(browser, written, width, theme):
    size = {"width": width, "height": 900}
    for page in opened(browser, written, viewport=size, color_scheme=theme):
        page.evaluate("() => { act.method('packnet'); act.draw(); settle();"
                      " element('describe').click() }")  # fmt: skip
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        drawn(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        assert serious(page) == []


def test_the_reduced_form_has_no_missions_and_plays(browser, tmp_path):
    playground(reduced=True).write(tmp_path / "reduced.html")
    for page in opened(browser, tmp_path / "reduced.html", WIDE):
        expect(page.locator("#mission")).to_be_hidden()
        page.click("#stage")
        wait(page)
        expect(page.locator(".panel >> nth=0")).to_contain_text("error")
