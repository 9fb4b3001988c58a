"""The playground: its method is the library's, and its controls hold.

Numbers are compared with torch's and with the library's own. The scripts
run in the browser that shows the book.
"""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page
from torch import nn
from torch.nn import functional as F

from packnet_book.playground import restore
from packnet_book.playground.bundle import ENGINE, join, read
from packnet_core import PackNet
from packnet_core.pruning import free_smallest

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
        free_smallest(right, whose, task, fraction)
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
        net.heads[-1].load_state_dict(
            {k: exact(v) for k, v in head}
        )
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
