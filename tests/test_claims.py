"""Claims are data, their limits the published ones; verdicts by hand."""

import pytest
from pandas import DataFrame

from packnet_book.runs.claims import claims, judged
from packnet_book.runs.records import recorded
from studies import STUDIES

PLANNED = {study.name: len(study.seeds) for study in STUDIES}
CLAIM = {"table": "t", "left": "s/packnet", "right": "s/individual",
         "task": "cars", "relation": "at most", "limit": 2.0,
         "draws": 4}  # fmt: skip


def draws(*prices: float) -> DataFrame:
    rows = [
        (seed, method, task, place, error)
        for seed, price in enumerate(prices)
        for task, place in (("objects", 1), ("birds", 2), ("cars", 3))
        for method, error in (("individual", 10.0), ("packnet", 10 + price))
    ]
    columns = ["seed", "method", "task", "position", "top1_error"]
    return DataFrame(rows, columns=columns)


def verdict(prices, **changes) -> str:
    found = judged(DataFrame([CLAIM | changes]), lambda _: draws(*prices))
    assert found.draws[0] == changes.get("draws", 4)
    return found.verdict[0]


@pytest.mark.parametrize(
    ("prices", "changes", "wanted"),
    [
        ([0.9, 1.0, 1.1, 1.0], {}, "held"),
        ([2.9, 3.0, 3.1, 3.0], {}, "not held"),
        ([0.0, 3.0, 1.0, 2.0], {}, "open"),
        ([2.9, 3.0, 3.1, 3.0], {"relation": "at least"}, "held"),
        ([-0.1, 0.1, 0.2, 0.0], {"relation": "within"}, "held"),
        ([-5.1, -5.2, -5.0, -4.9], {"relation": "within"}, "not held"),
        ([-4.0, 4.0, 3.0, -2.0], {"relation": "within"}, "open"),
        ([0.9, 1.0, 1.1, 1.0], {"draws": 5}, "open"),
        ([0.9], {}, "open"),
        ([0.9, 1.0, 1.1, 1.0], {"task": "added"}, "held"),
    ],
)
def test_a_verdict(prices, changes, wanted):
    assert verdict(prices, **changes) == wanted


def test_a_verdict_by_hand():
    """Mean 1, spread 1 over sqrt(4), limit 3: t = 4, two-sided p .028."""
    prices = [1 - 1.5**0.5, 1 + 1.5**0.5, 1.0, 1.0]  # of variance 1
    found = judged(
        DataFrame([CLAIM | {"limit": 3}]), lambda _: draws(*prices)
    )
    assert found["mean"][0] == pytest.approx(1)
    assert found.half[0] == pytest.approx(3.18245 / 2, rel=1e-4)
    assert found.p[0] == pytest.approx(0.028009, rel=1e-3)
    both = judged(DataFrame([CLAIM | {"limit": 3}] * 2),
                  lambda _: draws(*prices))  # fmt: skip
    assert both.p[0] == pytest.approx(2 * 0.028009, rel=1e-3)
    assert both.verdict.tolist() == ["open", "open"]  # Holm


def test_every_claim_can_be_judged_by_the_studies_that_there_are():
    for claim in claims().itertuples():
        for side in (claim.left, claim.right):
            study, _ = side.split("/")
            assert PLANNED[study] >= claim.draws >= 2, claim
        assert claim.relation in ("at most", "at least", "within")


def test_the_limits_on_prices_are_the_published_ones():
    article = recorded("published").set_index("stands_for")
    runs = recorded("published_runs")
    own = runs[(runs.network == "VGG-16") & (runs.method == "packnet")]
    readme = own.set_index("stands_for").top1_error
    for name, packed in (("article", article.packnet), ("README", readme)):
        price = packed - article.individual
        price["added"] = price.drop("objects").mean()
        price["imagenet"] = price["objects"]
        price["cubs"] = price["birds"]
        known = claims()
        found = known[known.source == name]
        assert len(found) >= 4
        for claim in found.itertuples():
            wanted = price[claim.task]
            assert claim.limit == pytest.approx(wanted, abs=0.006), claim
