"""Beside its peers: the record is whole, and the page says what it says."""

import os
from dataclasses import replace
from html import unescape

import pytest
import torch
from torch import nn

from benchmarks.peers import accepts, cost, exact, learns, records, rule
from benchmarks.peers.doors import Authors, Avalanche, Here, have_avalanche
from benchmarks.peers.parts import PARTS
from packnet_book.runs.records import recorded, recorded_provenance
from peers_page import BY_ITS_LOOP, PEERS, caption, printed
from peers_page import KINDS as KINDS_PRINTED
from peers_page import PARTS as PRINTED
from tests.contents import ROOT

PAGE = (ROOT / "book" / "peers.md").read_text("utf-8")
KINDS = {"here": Here, "avalanche": Avalanche, "authors": Authors}
SHORT = replace(exact.Settings(), start_steps=10, first_steps=4, steps=12)


def table(part):
    return recorded(f"peers_{part}")


def outcomes(part, key):
    own = table(part)
    return own.set_index([key, "peer"]).outcome


def need_avalanche() -> None:
    if not have_avalanche():
        assert os.environ.get("PACKNET_STACKS") != "required"
        pytest.skip("Avalanche is not installed: pip install -e '.[peers]'")


@pytest.mark.parametrize("part", PARTS)
def test_a_record_says_where_it_comes_from(part):
    about = recorded_provenance(f"peers_{part}")
    assert about["command"] == f"python -m benchmarks.peers {part}"
    made = about["made"]
    for key in ("date", "revision", "processor", "threads", "authors"):
        assert made[key]
    assert made["versions"]["avalanche-lib"] != "not installed"
    commit = made["authors"]
    assert commit == "not run" if part == "learns" else len(commit) == 40
    assert made["idle"] == (made["load"] < 0.5)
    state = "idle" if made["idle"] else "busy"
    assert state in caption(part)


@pytest.mark.parametrize(
    "part, key, names",
    [
        ("exact", "row", [row.name for row in exact.ROWS]),
        ("rule", "case", [case.name for case in rule.CASES]),
        ("cost", "network", [*cost.SETTINGS, "VGG-16"]),
        ("accepts", "network", [*accepts.NETWORKS]),
    ],
)
def test_the_record_has_every_row_for_every_peer(part, key, names):
    own = table(part)
    own = own[own.peer.isin(PEERS)]
    rows = own.groupby(key, sort=False).peer.agg(set)
    assert list(rows.index) == names
    assert all(peers == set(PEERS) for peers in rows)


def test_the_settings_are_those_of_the_present_code():
    settings = exact.Settings()
    assert recorded_provenance("peers_exact")["settings"]["steps"] == 500
    assert settings.steps == 500


def test_the_page_prints_every_part():
    for part, print_rows in PRINTED.items():
        assert f"```{{peers}} {part}\n```" in PAGE
        rows = print_rows(table(part))
        assert len(rows) and rows.notna().all().all()
        if part == "learns":
            continue
        assert list(rows.columns) == list(PEERS.values())
        blank = rows.index[(rows == "").any(axis=1)]
        lone = ("own loop", "without the proof")  # what one door only has
        assert all(any(one in str(row) for one in lone) for row in blank)


def test_a_printed_row_has_the_records_numbers():
    html = printed("cost").html
    assert 'class="pn-table"' in html and caption("cost") in unescape(html)
    for found in table("cost").itertuples():
        assert f"{found.ratio:.2f}" in html
    loops = PRINTED["exact"](table("exact")).filter(like="own loop", axis=0)
    own = outcomes("exact", "row")[:, BY_ITS_LOOP]
    assert len(loops) == len(own) > 0
    changed = loops.Avalanche.str.endswith("%").tolist()
    assert changed == (own == "changed").tolist()


def test_what_is_learnt_is_printed_from_the_record():
    record, settings = table("learns"), learns.Settings()
    counts = record.groupby("peer", sort=False).seed.nunique()
    assert list(counts.index) == list(learns.KINDS) == list(KINDS_PRINTED)
    rows = PRINTED["learns"](record)
    assert rows.draws.astype(int).tolist() == counts.tolist()
    assert counts["here"] == counts["avalanche"] == settings.draws
    assert learns.missing(settings) == []
    means = record.groupby("peer", sort=False).error.mean()
    for kind, name in KINDS_PRINTED.items():
        assert rows["all four"][name] == f"{means[kind]:.1f}"
    one = record.groupby(["peer", "seed"]).error.mean()
    ahead = (one["avalanche"] - one["here"]).mean()
    told = rows["beside here"]["Avalanche"].split(" ±")[0]
    assert float(told.replace("−", "-")) == pytest.approx(ahead, abs=0.06)


def test_the_four_tasks_are_learnt_with_every_kind(tmp_path, monkeypatch):
    need_avalanche()
    monkeypatch.setattr(learns, "RECORDING", tmp_path)
    monkeypatch.setattr(records, "RECORDING", tmp_path)
    tiny = replace(
        learns.Settings(), width=0.05, share=0.04, batch=4, epochs=2,
        retrain=1, draws=1, switched=1,
    )  # fmt: skip
    found = learns.run(tiny)
    assert list(found.peer.unique()) == list(learns.KINDS)
    assert len(found) == 4 * len(learns.KINDS)
    assert found.error.between(0, 100).all()
    again = learns.run(replace(tiny, switched=0))
    assert list(again.peer.unique()) == ["here", "avalanche"]
    assert again.date.tolist() == found.date[:8].tolist()  # not made anew


def test_here_nothing_changes_in_any_row():
    assert (outcomes("exact", "row")[:, "here"] == "exact").all()


def test_avalanche_refuses_batch_norm_by_name():
    own = table("exact").set_index(["row", "peer"])
    found = own.loc["batch norm", "avalanche"]
    assert found.outcome == "refused" and "BatchNorm2d" in found.message


def test_every_owner_that_differs_has_exactly_the_cutoff_s_magnitude():
    own = table("rule")
    assert (own.owners_that_differ == own.of_them_at_the_cutoff).all()
    differ = own.groupby("peer").owners_that_differ.sum()
    assert differ["here"] == differ["authors"] == 0 < differ["avalanche"]
    theirs = own[own.peer == "avalanche"]
    assert (theirs.layers_freed_by_floor == theirs.layers).all()
    others = own[own.peer != "avalanche"]
    assert (others.freed_but_not_zero == 0).all()


@pytest.mark.parametrize("name", ["momentum", "AdamW"])
def test_one_row_measured_again(name):
    """In seconds: the finished task here, and as Avalanche keeps it."""
    need_avalanche()
    [row] = [row for row in exact.ROWS if row.name == name]
    begun = nn.Sequential(*exact.start(row, SHORT)).state_dict()
    recorded_as = outcomes("exact", "row")
    for peer in ("here", "avalanche"):
        found = exact.measure(KINDS[peer], row, SHORT, begun)
        assert found["outcome"] == recorded_as[name, peer]
        assert found["second_error"] < 100


def test_what_a_state_dict_of_avalanche_leaves_out_is_the_fixed_biases(
    monkeypatch,
):
    need_avalanche()
    [row] = [row for row in exact.ROWS if row.resume]
    begun = nn.Sequential(*exact.start(row, SHORT)).state_dict()
    loaded = exact.resumed

    def by_hand(*arguments):
        door = loaded(*arguments)
        for name, weight in door.model.named_parameters():
            if name.endswith("bias"):
                weight.requires_grad_(False)
        return door

    found = exact.measure(Avalanche, row, SHORT, begun)
    assert found["outcome"] == "changed"
    monkeypatch.setattr(exact, "resumed", by_hand)
    found = exact.measure(Avalanche, row, SHORT, begun)
    assert found["outcome"] == "exact"


def test_pruning_here_follows_the_paper_s_rule():
    small = replace(rule.Settings(), width=0.05)
    for case in rule.CASES:
        found = rule.one(Here, case, small)
        assert found["owners_that_differ"] == 0, case.name
        assert found["freed"] == found["freed_by_the_rule"]


def test_the_authors_code_frees_what_ours_does():
    if not os.environ.get("PACKNET_AUTHORS"):
        pytest.skip("PACKNET_AUTHORS names no checkout of the authors' code")
    small = replace(rule.Settings(), width=0.05)
    for case in rule.CASES:
        doors = [rule.one(kind, case, small) for kind in (Here, Authors)]
        assert doors[0] | {"peer": ""} == doors[1] | {"peer": ""}


def test_a_ratio_may_be_taken_in_processor_time():
    torch.manual_seed(0)
    ticks = iter(range(100))
    found = cost.compare(
        lambda: None, lambda: None, pairs=2, clock=lambda: next(ticks)
    )
    assert found.values == (1.0, 1.0)


def test_the_costs_are_as_the_page_tells_them():
    own = table("cost").set_index(["network", "what", "peer"])
    ratios = own.ratio.sort_index()
    for network in cost.SETTINGS:
        at = ratios[network]
        for peer, extra in {"here": 1, "authors": 1, "avalanche": 3}.items():
            assert 4 * (at["state", peer] - 1) == pytest.approx(
                extra, abs=0.1
            )
        assert at["file", "here"] < 1.05 < 1.2 < at["file", "authors"]
        assert at["file", "here"] < at["file", "avalanche"]
        first = "the first answer as an old task after a step"
        # No longer than with Avalanche, within its range.
        longest = own.highest[network, first, "avalanche"]
        assert at[first, "here"] < min(longest, 1.05 * at[first, "avalanche"])
        assert at[first, "here"] < at[first, "authors"]
        # Of three tasks: said on the page.
        oldest = at["the first answer as the first of three tasks"]
        assert oldest["avalanche"] < oldest["here"] < oldest["authors"]
        alike = at["the first of three tasks without the proof", "here"]
        assert alike < oldest["avalanche"]
        rest = at["the same without the proof, as the others have it", "here"]
        assert rest < at[first, "avalanche"]
        steps = at["a step of the second task"]
        assert steps.idxmin() == "here" and steps.max() < 1.5
        further = at["a further answer as an old task"]
        assert further["here"] < 1.05 and further["authors"] < 1.05
        assert further["here"] < further["avalanche"]
    peak = ratios["VGG-16", "peak memory, without the imports'"]
    assert peak["authors"] < peak["here"] < peak["avalanche"]


def test_what_is_exact_in_all_three_is_what_the_page_says():
    found = outcomes("exact", "row").unstack()[list(PEERS)]
    kept = set(found.index[(found == "exact").all(axis=1)])
    assert kept == {
        "SGD", "momentum", "Nesterov", "Adam", "RMSprop", "clipping",
        "bf16 autocast", "dropout", "accumulation",
    }  # fmt: skip
    lost = found.index[(found.drop(columns="here") == "changed").all(axis=1)]
    assert set(lost) == {
        "weight decay", "AdamW", "momentum, kept", "Adam, kept",
    }  # fmt: skip
    assert found.avalanche["saved and loaded"] == "changed"


def test_what_is_accepted_is_what_the_page_says():
    found = outcomes("accepts", "network").unstack()
    wrapped = found.index != "FCN-ResNet-50, its dictionary"
    assert (found.here[wrapped] == "exact").all()
    assert (found.here[~wrapped] == "fails").all()
    assert set(found.avalanche[found.avalanche == "exact"].index) == {
        "VGG-16", "FCN-VGG-16",
    }  # fmt: skip
    assert (found.authors[list(accepts.THEIRS)] == "exact").all()
    overlooked = found.index[found.authors == "changed"]
    assert set(overlooked) == {"ViT-B/16", "FCN-VGG-16"}


def test_its_own_loop_agrees_with_how_avalanche_is_driven_here():
    found = outcomes("exact", "row")
    for name in ("momentum", "weight decay"):
        assert found[name, BY_ITS_LOOP] == found[name, "avalanche"]


def test_the_readme_s_table_says_what_the_records_say():
    text = (ROOT / "README.md").read_text("utf-8")
    lines = text.split("## Which PackNet\n\n")[1].split("\n\n")[0]
    _, _, *rows = [
        line.strip("| ").split(" | ") for line in lines.split("\n")
    ]
    cells = {
        name: dict(zip(PEERS, told, strict=True)) for name, *told in rows
    }
    assert 8 <= len(cells) <= 12
    state = table("cost").query("what == 'state'")
    for found in state.itertuples():
        assert float(cells["state, bytes a weight"][found.peer]) == (
            pytest.approx(4 * found.ratio, abs=0.02)
        )
    exactly, taken = outcomes("exact", "row"), outcomes("accepts", "network")
    for name, found in (
        ("finished tasks, a new optimiser for each task", exactly["Adam"]),
        ("… with batch norm", exactly["batch norm"]),
        ("… with attention", taken["ViT-B/16"]),
        ("… with weight decay, or an optimiser that is kept",
         exactly["weight decay"]),
        ("… with weight decay, or an optimiser that is kept",
         exactly["Adam, kept"]),
    ):  # fmt: skip
        told = {peer: cells[name][peer].split(",")[0] for peer in PEERS}
        said = {p: t.removesuffix(" by name") for p, t in told.items()}
        assert said == found[[*PEERS]].to_dict(), name
