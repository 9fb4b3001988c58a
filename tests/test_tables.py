"""Tables: well formed, aligned, and read well aloud."""

import re
from xml.etree import ElementTree

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas import DataFrame, MultiIndex

from packnet_book.figures import table
from tests.looks import foreign

ERRORS = DataFrame(
    {"birds": ["18.9 ± 4.7", "7.0 ± 10.25", ""], "cars": [9.5, 12.25, 3]},
    index=["packnet", "lwf", "published"],
)


def parsed(made) -> ElementTree.Element:
    return ElementTree.fromstring(made._repr_html_())


def cells(made, row: int) -> list[ElementTree.Element]:
    return parsed(made).findall(".//tbody/tr")[row].findall("td")


def seen(cell: ElementTree.Element) -> str:
    """What a cell says: without what only holds a place."""
    text = cell.text or ""
    for child in cell:
        text += seen(child) if child.tag != "i" else ""
        text += child.tail or ""
    return text


def test_the_text_output_is_the_frames():
    assert repr(table(ERRORS, "Errors")) == repr(ERRORS)


def test_a_table_is_well_formed_and_says_what_it_is():
    root = parsed(table(ERRORS, "Errors, [all](a.html) <of> them"))
    assert root.attrib["role"] == "region" and root.attrib["tabindex"] == "0"
    assert root.attrib["aria-label"] == "Errors, all <of> them"
    caption = root.find(".//caption")
    assert "".join(caption.itertext()) == "Errors, all <of> them"
    heads = root.findall(".//thead//th")
    assert [h.text for h in heads] == ["birds", "cars"]
    assert {h.attrib["scope"] for h in heads} == {"col"}
    for row, name in zip(root.findall(".//tbody/tr"), ERRORS.index):
        [head] = row.findall("th")
        assert (head.text, head.attrib["scope"]) == (name, "row")
        assert len(row.findall("td")) == 2
    assert foreign(table(ERRORS)._repr_html_()) == set()


def test_points_stand_below_each_other():
    made = table(ERRORS)
    for column in (0, 1):
        widths = set()
        for row in range(3):
            cell = cells(made, row)[column]
            text = "".join(cell.itertext())
            if text:
                head, _, tail = text.partition(" ± ")
                part = head.partition(".")[2]
                widths.add((len(part), len(tail), tail.find(".")))
        # tabular figures, aligned right: as many letters behind each point
        assert len(widths) == 1, widths
    assert seen(cells(made, 0)[0]) == "18.9 ± 4.7"
    assert [seen(cells(made, row)[1]) for row in range(3)] == [
        "9.5", "12.25", "3.0",
    ]  # fmt: skip


def test_what_holds_a_place_is_not_read_aloud():
    root = parsed(table(ERRORS))
    holders = list(root.iter("i"))
    assert holders
    assert all(h.attrib["aria-hidden"] == "true" for h in holders)


def test_the_lowest_of_a_column_and_the_highest_of_a_row_are_marked():
    made = table(ERRORS, "Errors", lowest="column")
    marked = [
        (row, column)
        for row in range(3)
        for column, cell in enumerate(cells(made, row))
        if cell.find("strong") is not None
    ]
    assert marked == [(1, 0), (2, 1)]
    assert "Bold: the lowest of each column." in made.html
    made = table(ERRORS, highest="row", among=["birds", "cars"])
    assert [
        [c.find("strong") is not None for c in cells(made, row)]
        for row in range(3)
    ] == [[True, False], [False, True], [False, True]]


def test_intervals_come_from_a_second_column():
    frame = DataFrame({"mean": [1.25, -2.0], "h": [0.5, 10.0]})
    made = table(frame, half={"mean": "h"}, digits=1, signed=["mean"])
    told = [seen(cells(made, row)[0]) for row in range(2)]
    assert told == ["+1.2 ± 0.5", "−2.0 ± 10.0"]
    assert len(parsed(made).findall(".//thead//th")) == 1


def test_bars_are_as_long_as_their_numbers():
    frame = DataFrame({"MB": [20.0, 5.0, None]})
    made = table(frame, digits=2, bars=["MB"])
    widths = [cells(made, row)[0].attrib["style"] for row in range(3)]
    assert widths == ["--w:100.0%", "--w:25.0%", "--w:0.0%"]
    with pytest.raises(ValueError, match="'MB' has negative numbers"):
        table(frame - 10, bars=["MB"])


def test_a_column_that_is_not_there_is_refused():
    with pytest.raises(KeyError, match="no column 'dogs'"):
        table(ERRORS, bars=["dogs"])


def test_numbers_are_not_broken_and_words_may_be():
    frame = DataFrame({"n": [1234567, 12], "words": ["a b", "c"]})
    made = table(frame)
    assert seen(cells(made, 0)[0]) == "1,234,567"
    assert cells(made, 0)[1].attrib["class"] == "pn-text"
    assert "white-space:nowrap" in made.html
    assert "tabular-nums" in made.html


def test_groups_of_rows_and_columns_are_said_once():
    rows = MultiIndex.from_tuples(
        [("a", 1), ("a", 2), ("b", 1)], names=["net", "task"]
    )
    columns = MultiIndex.from_tuples([("x", "m"), ("x", "n"), ("y", "m")])
    root = parsed(
        table(DataFrame(1.0, index=rows, columns=columns), digits=1)
    )
    heads = [
        (h.text, h.attrib.get("rowspan", h.attrib.get("colspan")))
        for h in root.iter("th")
        if "group" in h.attrib["scope"]
    ]
    assert heads == [("x", "2"), ("y", "1"), ("a", "2"), ("b", None)]


@given(
    st.lists(
        st.one_of(
            st.floats(-1e6, 1e6), st.integers(-999, 999), st.none(),
            st.text(st.characters(codec="utf-8", categories=["L", "P"])),
        ),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_any_frame_makes_a_table(values):
    made = table(DataFrame({"x": pandas.Series(values, dtype=object)}))
    root = parsed(made)
    assert len(root.findall(".//tbody/tr")) == len(values)
    assert not re.search(r">-\d", made.html)  # a minus, not a hyphen
