"""How long the chapters take is measured, and the record says on what."""

import json
import os

import nbformat
import pandas
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import times

TRAINS = """\
import os, pathlib
trained = pathlib.Path(os.environ["PACKNET_CACHE"], "network")
with open({log!r}, "a") as log:
    print("found" if trained.is_file() else "trained", file=log)
trained.parent.mkdir(parents=True, exist_ok=True)
trained.write_text("")
"""


def test_a_chapter_is_measured_cold_then_warm_and_stays(tmp_path):
    log, path = tmp_path / "log", tmp_path / "a.ipynb"
    cells = [
        new_markdown_cell("# A"),
        new_code_cell(TRAINS.format(log=str(log))),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    stored, place = path.read_bytes(), os.environ.get("PACKNET_CACHE")
    assert min(times.measure(path)) > 0
    assert log.read_text().split() == ["trained", "found"]
    assert path.read_bytes() == stored
    assert os.environ.get("PACKNET_CACHE") == place


def test_rows_are_replaced_and_stand_in_the_order_of_the_book(tmp_path):
    table = tmp_path / "table.csv"
    first, second = (times.BOOK / f"{n}.ipynb" for n in times.chapters()[:2])
    times.enter(table, second, 60.4, 2, {"load": 1})
    times.enter(table, first, 5, 4, {"load": 2})
    times.enter(table, second, 70, 3, {"load": 3})
    rows = pandas.read_csv(table)
    assert list(rows.columns) == times.COLUMNS
    assert rows.to_numpy().tolist() == [
        [times.title(first), 5, 4, 2], [times.title(second), 70, 3, 3],
    ]  # fmt: skip
    made = json.loads(table.with_suffix(".json").read_text())["chapters"]
    assert made == {first.stem: {"load": 2}, second.stem: {"load": 3}}


def test_the_record_has_every_chapter_and_says_on_what():
    rows = pandas.read_csv(times.TABLE)
    paths = [times.BOOK / f"{name}.ipynb" for name in times.chapters()]
    titles = [times.title(path) for path in paths]
    measured = rows.chapter.tolist()
    assert measured == titles
    assert (rows[times.COLUMNS[1:3]] > 0).all().all()
    # what every chapter promises: four minutes at first, then one
    assert rows["seconds at first"].max() <= 240
    assert rows["seconds again"].max() <= 60
    made = json.loads(times.TABLE.with_suffix(".json").read_text())
    named = dict(zip((path.stem for path in paths), titles))
    assert [named[name] for name in made["chapters"]] == measured
    for origin in made["chapters"].values():
        for key in ("date", "revision", "processor", "threads", "cores"):
            assert origin[key]
        assert origin["load"] >= 0
