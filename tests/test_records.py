"""The recorded results are those of the present code, and say so."""

import json
from pathlib import Path

import pytest

from benchmarks.peers.parts import PARTS
from packnet_book.runs.methods import METHODS
from packnet_book.runs.presets import (
    BEFORE_TUNING,
    FULL_LENGTH,
    MINIATURE,
)
from packnet_book.runs.records import read, recorded, recorded_provenance
from packnet_book.runs.stages import RESULTS
from packnet_book.runs.statistics import mean_interval
from packnet_core.errors import BadRun
from record import table_of
from studies import DUE, FORMER, STUDIES, rates
from studies.error_table import IN_TURN

ADDED = [task.name for task in MINIATURE.tasks[1:]]
ROOT = Path(__file__).parent.parent
BOOK, RECORDED = ROOT / "book", ROOT / "data" / "results"


@pytest.fixture(scope="module")
def means():
    """Mean top-1 error over the seeds, by method and task."""
    table = recorded("miniature")
    return table.groupby(["method", "task"]).top1_error.mean()


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_every_seed_was_run_with_the_present_settings(study):
    file = table_of(study)
    if study.name in DUE and not file.exists():
        return
    made = json.loads(file.with_suffix(".json").read_text("utf-8"))
    assert made["settings"] == json.loads(json.dumps(study.settings))
    assert made["command"] == f"python data/record.py {study.name}"
    table = read(file)
    assert set(map(int, made["seeds"])) == set(table.seed)
    if study.name in DUE:
        assert set(table.seed) <= set(study.seeds)
    else:
        assert set(table.seed) == set(study.seeds)
    for run in made["seeds"].values():
        for key in ("date", "revision", "versions", "processor", "threads"):
            assert run[key]


@pytest.mark.parametrize(
    "method", [m for m in rates.PHASE if f"tuning_{m}" not in DUE]
)
def test_the_records_rates_are_those_that_the_searches_found(method):
    table = recorded(f"tuning_{method}")
    axes = ["lr", "head_lr", *rates.STRENGTHS]
    best = table.groupby(axes).top1_error.mean().idxmin()
    phase = getattr(FULL_LENGTH, rates.PHASE[method])
    head_lr = phase.lr if phase.head_lr is None else phase.head_lr
    strengths = {
        name: getattr(BEFORE_TUNING, name) for name in rates.STRENGTHS
    }
    if f"{method}_strength" in strengths:
        own = f"{method}_strength"
        strengths[own] = getattr(FULL_LENGTH, own)
        assert table[own].min() < strengths[own] < table[own].max()
    assert best == (phase.lr, head_lr, *strengths.values())
    assert table.lr.min() < phase.lr < table.lr.max()
    if method == "packnet":  # and it is retrained in proportion
        tried = rates.moved(BEFORE_TUNING, method, "lr", 0.5**0.5)
        assert (tried.add, tried.retrain) == (phase, FULL_LENGTH.retrain)


def test_the_whole_study_was_recorded_in_one_night_on_two_cores():
    spent = [
        run["seconds"]
        for study in STUDIES
        if not study.photographs  # these need pictures that few have
        and study.name not in DUE
        for run in recorded_provenance(study.name)["seeds"].values()
    ]
    assert min(spent) > 0 and sum(spent) / 2 <= 12 * 3600


def test_nothing_is_recorded_that_cannot_be_regenerated():
    names = {file.stem for file in RECORDED.glob("*.csv")}
    published = {name for name in names if name.startswith("published")}
    others = {"chapter_times"}  # by book/tools/times.py
    others |= {f"peers_{part}" for part in PARTS}  # by benchmarks/peers
    assert names - published - others - FORMER <= {s.name for s in STUDIES}
    chapters = [p.read_text("utf-8") for p in BOOK.glob("*.ipynb")]
    for name in FORMER:
        assert any(f'recorded(\\"{name}\\")' in text for text in chapters)
    assert "miniature" in names


def test_the_table_has_a_row_for_every_seed_method_and_task():
    table = recorded("miniature")
    assert list(table.columns) == RESULTS
    assert set(table.method) == set(IN_TURN) < set(METHODS)
    cells = table.groupby(["seed", "method", "task"]).size()
    seeds = table.seed.nunique()
    assert len(cells) == seeds * len(IN_TURN) * 4 and (cells == 1).all()
    assert seeds >= 3


def test_fixed_methods_keep_the_first_task_to_the_last_picture(means):
    kept = recorded("miniature").pivot_table(
        index="seed", columns=["method", "task"], values="top1_error"
    )
    first = kept["individual", "objects"]
    assert (kept["classifier-only", "objects"] == first).all()


def test_a_classifier_on_fixed_features_is_worse_than_packnet(means):
    lead = means["classifier-only"][ADDED] - means["packnet"][ADDED]
    assert (lead > 5).all()


def test_individual_networks_are_neither_perfect_nor_hopeless(means):
    assert means["individual"].between(5, 35).all()


def test_sequential_fine_tuning_forgets_the_first_task(means):
    lost = means["sequential", "objects"] - means["individual", "objects"]
    assert lost >= 30


def test_packnet_keeps_the_first_task_and_comes_close_on_the_others(means):
    cost = means["packnet"] - means["individual"]
    assert cost["objects"] <= 2
    assert cost[ADDED].mean() <= 6


def test_the_packed_network_is_a_network_and_under_two_bits_a_weight():
    files = recorded("sizes").groupby(["network", "method"]).bytes.sum()
    # Four tasks in VGG-16: numbers of 4 bytes, 1.72 bits a shared weight.
    wanted = 561.6e6 + 1.72 / 8 * 134_248_128
    assert 561.6e6 < files["vgg16", "packnet"] <= 1.001 * wanted
    for network in ("miniature", "vgg16"):
        assert files[network, "packnet"] < 0.28 * files[network, "individual"]


def test_two_tasks_at_full_size_fit_into_twelve_gigabytes():
    made = recorded_provenance("full_scale")
    full, scale = made["settings"]
    assert (full["name"], full["width"], full["size"]) == ("vgg16", 1.0, 224)
    assert scale["batch"] >= 8 and scale["steps"] == 3
    table = recorded("full_scale").set_index("phase")
    assert table.peak_bytes.max() < 12e9
    # Weights, gradients, momentum, owner map and the guard's copy, at least.
    assert table.peak_bytes["add second"] > 17 * 134_248_128


def test_the_published_errors_are_those_of_the_article():
    table = recorded("published").set_index("task")
    assert table.individual.tolist() == [28.42, 22.57, 13.97, 8.65]
    assert table.packnet.tolist() == [29.33, 25.72, 18.08, 10.05]
    assert "1711.05769" in recorded_provenance("published")["source"]


def test_the_published_runs_are_those_of_the_authors():
    table = recorded("published_runs")
    assert len(table) == 20
    own = table[(table.network == "VGG-16") & (table.method == "packnet")]
    assert own.top1_error.tolist() == [29.19, 22.56, 17.09, 11.07]
    lwf = table[table.method == "lwf"]
    assert lwf.top1_error.tolist() == [36.58, 34.24, 22.07, 12.15]
    first = table[table.task == "imagenet"]
    assert [float(e) for e in first.top5_error] == [
        14.75, 9.90, 8.70, 7.17, 7.85,
    ]  # fmt: skip
    assert "arunmallya" in recorded_provenance("published_runs")["source"]


def test_the_readme_tells_the_recorded_numbers():
    errors = recorded("orders").pivot_table(
        index="seed", columns=["method", "task"], values="top1_error"
    )
    article = recorded("published").set_index("stands_for")
    published = article.packnet - article.individual
    tasks = [t.name for t in MINIATURE.tasks]
    rows = {task: [task] for task in tasks} | {"mean of the added": tasks[1:]}
    lines = []
    for name, those in rows.items():
        one, packed = (
            errors[method][those].mean(axis=1)
            for method in ("individual", "packnet")
        )
        lines.append(
            f"| {name} | {mean_interval(one)} | {mean_interval(packed)} | "
            f"{mean_interval(packed - one):+} | "
            f"{published[those].mean():+.2f} |"
        )
    wanted = f"{len(errors)} draws, mean and 95 % interval"
    readme = (RECORDED.parents[1] / "README.md").read_text()
    for line in (*lines, wanted):
        assert line in readme, line


def test_an_unknown_study_is_refused_with_the_known_ones():
    with pytest.raises(BadRun, match=r"miniature, .*published"):
        recorded("enormous")
