"""Intervals against values worked out by hand, and against simulation."""

import numpy
import pytest
from pandas import DataFrame, Series

from packnet_book.runs.statistics import (
    Interval,
    holm,
    interval_table,
    mean_interval,
    paired_interval,
)

T_4 = 2.776445  # 97.5 % point of Student's t, 4 degrees of freedom (tables)


def test_the_interval_of_five_runs_by_hand():
    # mean 3, sum of squares 10, so spread sqrt(10 / 4)
    found = mean_interval([1, 2, 3, 4, 5])
    assert found.mean == 3
    assert found.half == pytest.approx(T_4 * (2.5 / 5) ** 0.5, rel=1e-6)
    assert found.low == pytest.approx(3 - found.half)
    assert found.high == pytest.approx(3 + found.half)


def test_two_runs_have_a_very_wide_interval():
    assert mean_interval([0.0, 2.0]).half == pytest.approx(12.7062, rel=1e-5)


@pytest.mark.filterwarnings("error")
def test_equal_runs_have_an_interval_without_width():
    assert mean_interval([4.0, 4.0, 4.0]) == Interval(4.0, 0.0)


def test_a_higher_level_is_wider():
    runs = [1.0, 2.0, 4.0]
    assert mean_interval(runs, 0.99).half > mean_interval(runs, 0.95).half


def test_the_interval_covers_the_true_mean_as_often_as_it_says():
    draw = numpy.random.default_rng(0)
    found = [mean_interval(runs) for runs in draw.normal(7, 2, (2000, 5))]
    covered = numpy.mean([one.low <= 7 <= one.high for one in found])
    assert covered == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    "values", [[], [1.0], [[1.0, 2.0]], [1.0, numpy.nan]], ids=str
)
def test_no_interval_without_a_spread(values):
    with pytest.raises(ValueError):
        mean_interval(values)


def test_pairs_are_matched_by_their_seed_not_their_place():
    left = Series([10.0, 20.0, 30.0], index=[0, 1, 2])
    right = Series([29.0, 9.0, 19.0], index=[2, 0, 1])
    assert paired_interval(left, right) == Interval(1.0, 0.0)


def test_what_a_pair_has_in_common_does_not_widen_its_interval():
    common = Series([0.0, 10.0, 20.0, 30.0, 40.0])
    left, right = common + Series([1, 2, 3, 4, 5]), common
    assert paired_interval(left, right).half < 2 < mean_interval(right).half


@pytest.mark.parametrize("seeds", [[0, 1], [0, 1, 3], [0, 1, 1]], ids=str)
def test_runs_that_make_no_pairs_are_refused(seeds):
    left = Series([1.0, 2.0, 3.0], index=[0, 1, 2])
    with pytest.raises(ValueError):
        paired_interval(left, Series(1.0, index=seeds))


def test_the_table_keeps_the_order_of_the_rows():
    runs = DataFrame(
        {
            "method": ["b", "b", "a", "a"],
            "task": ["x"] * 4,
            "error": [1.0, 3.0, 5.0, 5.0],
        }
    )
    table = interval_table(runs, ["method", "task"], "error")
    assert table.columns.tolist() == ["method", "task", "mean", "low", "high"]
    assert table.method.tolist() == ["b", "a"]
    assert table.loc[1, ["mean", "low", "high"]].tolist() == [5, 5, 5]
    assert table["mean"][0] == 2 and table.low[0] < 1


def test_holms_correction_by_hand():
    # sorted .005, .01, .03, .04: times 4, 3, 2, 1, never falling
    found = holm([0.01, 0.04, 0.03, 0.005])
    assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_an_interval_as_text():
    assert str(Interval(8.31, 0.68)) == "8.3 ± 0.7"
    assert format(Interval(8.31, 0.68), "+.1f") == "+8.3 ± 0.7"
    assert format(Interval(-8.31, 0.68), "+.0f") == "-8 ± 1"


def test_a_mean_that_rounds_to_zero_has_no_minus():
    assert str(Interval(-0.01, 0.3)) == "0.0 ± 0.3"
    assert format(Interval(-0.01, 0.3), "+.1f") == "+0.0 ± 0.3"
