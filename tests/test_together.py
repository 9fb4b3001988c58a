"""Networks that are trained together learn what each would alone."""

import time
from dataclasses import replace

import pytest

from packnet_book.runs.presets import FROM_NOTHING, Drawn, Preset, shortened
from packnet_book.runs.runner import Run
from packnet_core.trunks import Architecture
from studies import common, rates
from together import together
from together.pool import HERE, PATIENCE

METHODS = ("packnet", "individual", "sequential", "classifier-only", "lwf",
           "ewc", "joint")  # fmt: skip
SMALL = replace(
    shortened(FROM_NOTHING, 2),
    architecture=Architecture("vgg16", width=0.07, size=32, dropout=0.0),
    tasks=(
        Drawn("objects", train=4, test=4),
        Drawn("birds", train=4, test=4),
        Drawn("flowers", train=4, test=4),
    ),
    fractions=(0.5, 0.75),
)
SEEDS = (1, 2)


def carried_out(preset: Preset, folder, seed: int) -> Run:
    made = Run(preset, folder / str(seed), seed=seed)
    made.carry_out(METHODS)
    return made


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Run, Run]:
    """A draw alone, and with another one."""
    alone, pooled = (tmp_path_factory.mktemp(n) for n in ("one", "all"))
    here = carried_out(SMALL, alone, SEEDS[0])
    found: dict[int, Run] = {}

    def call(seed: int) -> None:
        found[seed] = carried_out(SMALL, pooled, seed)

    with together("cpu") as pool:
        pool.carry_out([lambda seed=seed: call(seed) for seed in SEEDS])
    return here, found[SEEDS[0]]


def length(values) -> float:
    return sum(v.double().square().sum() for v in values) ** 0.5


@pytest.mark.parametrize("method", METHODS)
def test_what_is_learnt_together_is_what_is_learnt_alone(both, method):
    """Sums are rounded otherwise: up to a thousandth of what was learnt."""
    alone, _ = both
    for task in SMALL.tasks[1:] if method != "joint" else SMALL.tasks[2:]:
        one, other = (run.after(method, task.name) for run in both)
        first = dict(alone.first().trunk.named_parameters())
        pairs = [*zip(one.parameters(), other.parameters(), strict=True)]
        moved = length(p - first[n] for n, p in one.trunk.named_parameters())
        head = length(one.heads[-1].parameters())
        assert length(a - b for a, b in pairs) < 1e-3 * (moved + head)


def test_errors_are_those_of_each_alone(both):
    one, other = (run.history() for run in both)
    rows = ["method", "stage", "after", "task"]
    assert (one[rows] == other[rows]).all(axis=None)
    assert (one.top1_error - other.top1_error).abs().max() < 3


def answered(pool, asked: list) -> list:
    """Twice of each, and how many were asked for together."""
    return [(2 * one, len(asked)) for one in asked]


def ask(value: int) -> tuple[int, int]:
    return HERE.pool.ask(answered, "", value, 1)


def test_what_all_ask_for_is_done_at_once():
    found = []
    with together("cpu") as pool:
        pool.carry_out([lambda n=n: found.append(ask(n)) for n in range(5)])
    assert sorted(found) == [(2 * n, 5) for n in range(5)]


def test_a_search_tries_its_neighbours_at_once():
    found = []

    def failing(value: int) -> None:
        raise ValueError(value)

    def search() -> None:
        found.extend(rates.each(ask, range(4)))
        with pytest.raises(ValueError, match="7"):
            rates.each(failing, [7])

    with together("cpu") as pool:
        pool.carry_out([search])
    assert found == [(0, 4), (2, 4), (4, 4), (6, 4)]


def test_who_waits_for_anothers_file_holds_nobody_up(tmp_path):
    found = []

    def call(value: int) -> None:
        with common.alone(tmp_path / "lock", ""):
            found.append(ask(value))

    begun = time.monotonic()
    with together("cpu") as pool:
        pool.carry_out([lambda n=n: call(n) for n in range(3)])
    assert sorted(found) == [(0, 1), (2, 1), (4, 1)]
    assert time.monotonic() - begun < PATIENCE


def test_what_one_thread_raises_ends_no_other():
    found = []

    def call(value: int) -> None:
        if value == 1:
            raise ValueError("on purpose")
        found.append(ask(value))

    with together("cpu") as pool, pytest.raises(ValueError, match="purpose"):
        pool.carry_out([lambda n=n: call(n) for n in range(3)])
    assert sorted(found) == [(0, 2), (4, 2)]
