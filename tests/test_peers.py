"""Beside its peers: the record is whole, and the page says what it says."""

import os
from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks.peers import accepts, cost, exact, rule
from benchmarks.peers.doors import Authors, Avalanche, Here, have_avalanche
from benchmarks.peers.parts import PARTS
from packnet_book.runs.records import recorded, recorded_provenance
from peers_page import BY_ITS_LOOP, PEERS, caption
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


@pytest.mark.parametrize("part", PARTS)
def test_a_record_says_where_it_comes_from(part):
    about = recorded_provenance(f"peers_{part}")
    assert about["command"] == f"python -m benchmarks.peers {part}"
    made = about["made"]
    for key in ("date", "revision", "processor", "threads", "authors"):
        assert made[key]
    assert made["versions"]["avalanche-lib"] != "not installed"
    assert len(made["authors"]) == 40
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
        head, rows = print_rows(table(part))
        assert rows and all(len(row) == len(head) for row in rows)
        assert "not run" not in {cell for row in rows for cell in row}


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
    if not have_avalanche():
        pytest.skip("Avalanche is not installed: pip install -e '.[peers]'")
    [row] = [row for row in exact.ROWS if row.name == name]
    begun = nn.Sequential(*exact.start(row, SHORT)).state_dict()
    recorded_as = outcomes("exact", "row")
    for peer in ("here", "avalanche"):
        found = exact.measure(KINDS[peer], row, SHORT, begun)
        assert found["outcome"] == recorded_as[name, peer]
        assert found["second_error"] < 100


def test_here_is_the_paper_s_rule_and_the_authors_too(monkeypatch):
    kinds = [Here]
    if os.environ.get("PACKNET_AUTHORS"):
        kinds.append(Authors)
    small = replace(rule.Settings(), width=0.05)
    for case in rule.CASES:
        for kind in kinds:
            found = rule.one(kind, case, small)
            assert found["owners_that_differ"] == 0, (case.name, kind.name)
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


def test_its_own_loop_agrees_with_how_avalanche_is_driven_here():
    found = outcomes("exact", "row")
    for name in ("momentum", "weight decay"):
        assert found[name, BY_ITS_LOOP] == found[name, "avalanche"]
