"""Recorded studies are resumed, not repeated, and redone when they change."""

import json
from dataclasses import replace

import pandas
import pytest
import record as command
from pandas import DataFrame
from studies import Study

from packnet_core.records import read


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of two seeds that says which it was asked for."""
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    asked = []

    def table(seed, folder):
        if len(asked) == 1 and seed == 2:
            asked.append("stopped")
            raise KeyboardInterrupt
        asked.append(seed)
        return DataFrame({"method": ["a", "b"], "top1_error": [seed, 0.25]})

    made = Study("some", "What it is.", (1, 2), {"rate": 0.1}, table)
    return made, asked, tmp_path


def test_a_study_that_was_stopped_goes_on_with_the_next_seed(study):
    made, asked, folder = study
    with pytest.raises(KeyboardInterrupt):
        command.record(made)
    command.record(made)
    assert asked == [1, "stopped", 2]
    table = pandas.read_csv(folder / "some.csv")
    assert table.seed.tolist() == [1, 1, 2, 2]
    assert table.top1_error.tolist() == [1, 0.25, 2, 0.25]
    about = json.loads((folder / "some.json").read_text())
    assert set(about["seeds"]) == {"1", "2"}
    assert about["command"] == "python data/record.py some"
    command.record(made)
    assert asked == [1, "stopped", 2]  # nothing is run twice


def test_a_study_whose_settings_changed_is_run_anew(study):
    made, asked, folder = study
    asked.append("begun")
    asked.append("before")
    command.record(made)
    command.record(replace(made, settings={"rate": 0.2}))
    assert asked == ["begun", "before", 1, 2, 1, 2]
    table = pandas.read_csv(folder / "some.csv")
    assert table.seed.tolist() == [1, 1, 2, 2]
    about = json.loads((folder / "some.json").read_text())
    assert about["settings"] == {"rate": 0.2}


def test_a_further_seed_leaves_the_others_as_they_are(study):
    made, asked, _ = study
    asked.extend(["begun", "before"])
    command.record(made)
    command.record(replace(made, seeds=(1, 2, 3)))
    assert asked[2:] == [1, 2, 3]


def test_a_table_ahead_of_its_provenance_gets_no_row_twice(study):
    made, asked, folder = study
    asked.extend(["begun", "before"])
    command.record(replace(made, seeds=(1,)))
    about = (folder / "some.json").read_text()
    command.record(made)
    (folder / "some.json").write_text(about)  # as if stopped before it
    command.record(made)
    assert pandas.read_csv(folder / "some.csv").seed.tolist() == [1, 1, 2, 2]


def test_what_is_empty_and_what_is_no_number_are_told_apart(study):
    made, asked, folder = study
    asked.extend(["begun", "before"])

    def table(seed, runs):
        return DataFrame({"prune": ["", "0.5"], "owned": [float("nan"), 50]})

    command.record(replace(made, table=table))
    found = read(folder / "some.csv")
    assert found.prune.tolist() == ["", "0.5"] * 2
    assert found.owned.isna().tolist() == [True, False] * 2
    assert found.owned.dtype == float
