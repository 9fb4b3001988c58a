"""The recorded results are those of the present code, and say so."""

import json
from dataclasses import asdict

import pytest

from packnet_core.errors import BadRun
from packnet_core.experiments import RESULTS
from packnet_core.presets import MINIATURE
from packnet_core.records import recorded, recorded_provenance

ADDED = [task.name for task in MINIATURE.tasks[1:]]


@pytest.fixture(scope="module")
def means():
    """Mean top-1 error over the seeds, by method and task."""
    table = recorded("miniature")
    return table.groupby(["method", "task"]).top1_error.mean()


def test_every_seed_was_run_with_the_present_settings():
    made = recorded_provenance("miniature")["seeds"]
    settings = json.loads(json.dumps(asdict(MINIATURE)))
    assert len(made) >= 3
    for seed, run in made.items():
        assert run["configuration"]["seed"] == int(seed)
        assert run["configuration"]["preset"] == settings
        assert run["configuration"]["budget"] == 1
        for key in ("date", "revision", "versions", "processor", "threads"):
            assert run[key]


def test_the_table_has_a_row_for_every_seed_method_and_task():
    table = recorded("miniature")
    assert list(table.columns) == RESULTS
    cells = table.groupby(["seed", "method", "task"]).size()
    assert len(cells) == 3 * 3 * 4 and (cells == 1).all()


def test_individual_networks_are_neither_perfect_nor_hopeless(means):
    assert means["individual"].between(5, 35).all()


def test_sequential_fine_tuning_forgets_the_first_task(means):
    lost = means["sequential", "objects"] - means["individual", "objects"]
    assert lost >= 30


def test_packnet_keeps_the_first_task_and_comes_close_on_the_others(means):
    cost = means["packnet"] - means["individual"]
    assert cost["objects"] <= 2
    assert cost[ADDED].mean() <= 6


def test_the_published_errors_are_those_of_the_article():
    table = recorded("published").set_index("task")
    assert table.individual.tolist() == [28.42, 22.57, 13.97, 8.65]
    assert table.packnet.tolist() == [29.33, 25.72, 18.08, 10.05]
    assert "1711.05769" in recorded_provenance("published")["source"]


def test_an_unknown_study_is_refused_with_the_known_ones():
    with pytest.raises(BadRun, match="miniature, published"):
        recorded("enormous")
