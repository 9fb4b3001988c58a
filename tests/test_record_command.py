"""Recorded studies are resumed, not repeated, and redone when they change."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pandas
import pytest
from pandas import DataFrame

import record as command
from packnet_book.runs import presets
from packnet_book.runs.records import read
from studies import common
from studies.common import Study


def rows(seed: int, runs: Path) -> DataFrame:
    """Two rows of a seed; it is noted in a file that the seed was run."""
    with open(runs / "asked", "a") as asked:
        asked.write(f"{seed} ")
    return DataFrame({"method": ["a", "b"], "top1_error": [seed, 0.25]})


def rows_of_the_first(seed: int, runs: Path) -> DataFrame:
    if seed != 1:
        raise KeyboardInterrupt
    return rows(seed, runs)


def unequal(seed: int, runs: Path) -> DataFrame:
    return DataFrame({"prune": ["", "0.5"], "owned": [float("nan"), 50]})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    monkeypatch.setattr(command, "RUNS", tmp_path)
    monkeypatch.setenv("TQDM_DISABLE", "0")  # and as it was, afterwards
    return tmp_path


STUDY = Study("some", "What it is.", (1, 2), {"rate": 0.1}, rows)


def asked(folder):
    return sorted(map(int, (folder / "asked").read_text().split()))


def seeds(folder):
    return pandas.read_csv(folder / "some.csv").seed.tolist()


def test_seeds_are_run_in_processes_and_entered_in_their_order(folder):
    command.record([STUDY, replace(STUDY, name="other")], jobs=2)
    assert asked(folder) == [1, 1, 2, 2]
    table = pandas.read_csv(folder / "some.csv")
    assert table.seed.tolist() == [1, 1, 2, 2]
    assert table.top1_error.tolist() == [1, 0.25, 2, 0.25]
    about = json.loads((folder / "some.json").read_text())
    assert list(about["seeds"]) == ["1", "2"]
    assert about["seeds"]["1"]["threads"] >= 1
    assert about["seeds"]["1"]["seconds"] >= 0
    assert about["command"] == "python data/record.py some"


def test_seeds_that_are_run_together_are_entered_once_and_say_so(folder):
    studies = [STUDY, replace(STUDY, name="other")]
    for _ in range(2):
        command.record_together(studies, jobs=1)
    assert asked(folder) == [1, 1, 2, 2]
    assert seeds(folder) == [1, 1, 2, 2]
    made = json.loads((folder / "other.json").read_text())["seeds"]
    assert [made[seed]["together"] for seed in ("1", "2")] == [True, True]


def test_jobs_of_their_own_enter_their_seeds_one_after_the_other(
    folder, monkeypatch
):
    know, both = command._known, Barrier(2)

    def slowly(study):
        found = know(study)
        with suppress(BrokenBarrierError):
            both.wait(0.3)  # for another that has read the table too
        return found

    monkeypatch.setattr(command, "_known", slowly)
    with ThreadPoolExecutor(2) as jobs:
        for seed in STUDY.seeds:
            jobs.submit(command.enter, STUDY, seed, rows(seed, folder)
                        .assign(seed=seed), {})  # fmt: skip
    assert seeds(folder) == [1, 1, 2, 2]
    assert command.missing(STUDY) == []


def test_a_study_that_was_stopped_goes_on_with_the_next_seed(folder):
    with pytest.raises(KeyboardInterrupt):
        command.record([replace(STUDY, table=rows_of_the_first)], jobs=1)
    assert seeds(folder) == [1, 1]
    assert command.missing(STUDY) == [2]
    command.record([STUDY], jobs=1)
    assert seeds(folder) == [1, 1, 2, 2]
    command.record([STUDY], jobs=1)
    assert asked(folder) == [1, 2]  # nothing is run twice


def test_a_study_whose_settings_changed_is_run_anew(folder):
    command.record([STUDY], jobs=1)
    command.record([replace(STUDY, settings={"rate": 0.2})], jobs=1)
    assert asked(folder) == [1, 1, 2, 2]
    assert seeds(folder) == [1, 1, 2, 2]
    about = json.loads((folder / "some.json").read_text())
    assert about["settings"] == {"rate": 0.2}


def test_a_further_seed_leaves_the_others_as_they_are(folder):
    command.record([STUDY], jobs=1)
    command.record([replace(STUDY, seeds=(0, 1, 2))], jobs=1)
    assert asked(folder) == [0, 1, 2]
    assert seeds(folder) == [0, 0, 1, 1, 2, 2]


def test_a_table_ahead_of_its_provenance_gets_no_row_twice(folder):
    command.record([replace(STUDY, seeds=(1,))], jobs=1)
    about = (folder / "some.json").read_text()
    command.record([STUDY], jobs=1)
    (folder / "some.json").write_text(about)  # as if stopped before it
    command.record([STUDY], jobs=1)
    assert seeds(folder) == [1, 1, 2, 2]


def test_what_is_empty_and_what_is_no_number_are_told_apart(folder):
    command.record([replace(STUDY, table=unequal)], jobs=1)
    found = read(folder / "some.csv")
    assert found.prune.tolist() == ["", "0.5"] * 2
    assert found.owned.isna().tolist() == [True, False] * 2
    assert found.owned.dtype == float


def test_the_command_lists_the_studies_and_refuses_others(
    folder, monkeypatch, capsys
):
    monkeypatch.setattr(command, "NAMED", {"some": STUDY})
    monkeypatch.setattr(sys, "argv", ["record.py", "--list"])
    command.main()
    told = capsys.readouterr().out
    assert told == "some: What it is. Seeds missing: 1, 2\n"
    monkeypatch.setattr(sys, "argv", ["record.py", "nothing"])
    with pytest.raises(SystemExit):
        command.main()
    assert "no study nothing" in capsys.readouterr().err


def test_a_record_says_what_its_own_runs_have_read_and_no_others(
    tmp_path, monkeypatch
):
    class Made:
        def __init__(self, preset, out, *, seed, precision="no"):
            (out / "stages").mkdir(parents=True)
            self.out = out
            run = {"configuration": {"precision": precision}}
            (out / "run.json").write_text(json.dumps(run))
            text = json.dumps({"birds, train": f"{out.name} {preset.first}"})
            (out / "read.json").write_text(text)

        def first(self):
            (self.out / "stages" / "first-1.json").touch()

    monkeypatch.setattr(common, "Run", Made)
    preset = presets.FROM_NOTHING
    other = replace(preset, first=replace(preset.first, epochs=3))

    def table(seed: int, runs: Path) -> DataFrame:
        common.run(preset, seed, runs, "a")
        return DataFrame({"method": ["a"], "top1_error": [1.0]})

    common.run(other, 1, tmp_path, "z")  # another study's, of the same seed
    study = Study("some", "What it is.", (1,), {}, table)
    _, origin = command.carry_out(study, 1, tmp_path)
    told = origin["read"]["birds, train"]
    assert told.startswith("a-1-") and str(preset.first) in told
    assert origin["precision"] == ["no"]
    monkeypatch.setenv(common.PRECISION, "bf16")  # in a place of its own
    _, origin = command.carry_out(study, 1, tmp_path)
    assert origin["precision"] == ["bf16"]


def test_the_command_hands_a_precision_on_and_takes_none_together(
    monkeypatch,
):
    asked = []
    monkeypatch.setenv(common.PRECISION, "no")  # as before, afterwards
    monkeypatch.setattr(command, "NAMED", {"some": STUDY})
    monkeypatch.setattr(
        command, "record",
        lambda *_: asked.append(os.environ[common.PRECISION]),
    )  # fmt: skip
    argv = ["record.py", "some", "--precision", "bf16"]
    monkeypatch.setattr(sys, "argv", argv)
    command.main()
    assert asked == ["bf16"]
    monkeypatch.setattr(sys, "argv", [*argv, "--together"])
    with pytest.raises(SystemExit):
        command.main()
