"""Tables as HTML: read at a glance, and read well aloud.

The same in the book, in Jupyter and in Colab, on a light and on a dark
ground. Numbers stand with their points below each other and are never
broken; a table that is wider than the screen scrolls sideways in its box.
"""

import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import pandas

from packnet_book.figures.system import (
    ACCENT,
    INK,
    PAPER,
    QUIET,
    RULE,
    properties,
)
from packnet_book.figures.vector import CAPTION_LINK, FONT, caption_html

Along = Literal["row", "column"]
NUMBER = re.compile(
    r"(?P<sign>[+\-−]?)(?P<whole>\d[\d,]*)(?P<part>\.\d+)?"
    r"(?:(?P<between> ± )(?P<half>\d[\d,]*)(?P<rest>\.\d+)?)?"
    r"(?P<after> ?[%*]| \([^)]*\))?"
)
EMPTY = "–"
BASE = (
    ".pn-table{margin:1rem 0;color:var(--pn-ink);background:var(--pn-paper);"
    "overflow-x:auto;max-width:100%;container-type:inline-size}"
    f".pn-table table{{border-collapse:collapse;margin:0;font-family:{FONT};"
    "font-size:.92em;line-height:1.4;font-variant-numeric:tabular-nums "
    "lining-nums;color:inherit;border:0;background:none;width:auto}"
    ".pn-table caption{caption-side:top;text-align:left;padding:0 0 .5rem;"
    "color:inherit}.pn-table caption span{display:block;position:sticky;"
    "left:0;max-width:min(44rem,100cqw)}"
    ".pn-table :is(th,td){padding:.3rem .9rem;border:0;"
    "border-bottom:1px solid var(--pn-rule);text-align:right;"
    "vertical-align:baseline;white-space:nowrap;background:none;"
    "color:inherit}"
    ".pn-table thead :is(th,td){border-bottom:2px solid var(--pn-quiet);"
    "font-weight:600;vertical-align:bottom;white-space:normal;"
    "min-width:3.5rem}"
    ".pn-table th[colspan]{text-align:center}"
    ".pn-table tbody th{text-align:left;font-weight:500}"
    ".pn-table .pn-text{text-align:left;white-space:normal;min-width:5rem;"
    "max-width:22rem}"
    ".pn-table .pn-best{color:var(--pn-packnet)}.pn-table strong{"
    "font-weight:inherit;-webkit-text-stroke:.045em currentcolor}"
    ".pn-table .pn-bar{background:linear-gradient(to right,"
    "color-mix(in srgb,var(--pn-packnet) 26%,transparent) var(--w),"
    "transparent 0) no-repeat 0 .25rem/100% 1.55em}"
    ".pn-table i{visibility:hidden;font-style:normal;user-select:none}"
    ".pn-table small{color:var(--pn-quiet);font-size:.9em}"
)


@dataclass(frozen=True, repr=False)
class Table:
    """A table for a notebook; its text output is the frame's."""

    frame: pandas.DataFrame
    html: str

    def __repr__(self) -> str:
        return repr(self.frame)

    def _repr_html_(self) -> str:
        return self.html


def table(
    frame: pandas.DataFrame,
    caption: str = "",
    *,
    digits: int | Mapping[str, int] | None = None,
    signed: Sequence[str] = (),
    half: Mapping[str, str] | None = None,
    lowest: Along | None = None,
    highest: Along | None = None,
    among: Sequence[str] | None = None,
    bars: Sequence[str] = (),
) -> Table:
    """A DataFrame as a table that is typeset.

    caption: text above it, in which `[words](address)` is a link. digits:
    behind the point, for all columns or by column; left alone, numbers
    are shown as they are and texts that are numbers (`18.9 ± 4.7`,
    `1,024`, `+0.3 *`) are aligned like numbers. signed: columns of
    differences, with their signs. half: of a column the one that has the
    half-width of its interval, which is shown behind ±. lowest, highest:
    the best value of each row or of each column is marked, among: of
    these columns only. bars: columns with a bar in each cell, from 0 to
    their largest. Raises KeyError for a column that is not there, and
    ValueError where a bar would be negative.
    """
    half = dict(half or {})
    for name in (*half, *half.values(), *bars, *signed, *(among or ())):
        if name not in frame.columns:
            raise KeyError(f"no column {name!r}: {list(frame.columns)}")
    shown = [name for name in frame if name not in set(half.values())]
    cells = {
        name: _column(
            frame, name, digits, name in signed, half.get(str(name))
        )
        for name in shown
    }
    values = pandas.DataFrame(
        [[_value(cell) for cell in cells[name]] for name in shown]
    ).T
    values.columns = pandas.Index(range(len(shown)))
    best = _best(values, lowest, highest,
                 [shown.index(n) for n in (among or shown)])  # fmt: skip
    numeric = [_is_numeric(cells[name]) for name in shown]
    columns = [
        _aligned(cells[name])
        if numbers
        else list(map(html.escape, cells[name]))
        for name, numbers in zip(shown, numeric)
    ]
    shares = {
        place: _shares(values[place], str(name))
        for place, name in enumerate(shown)
        if name in bars
    }
    body = "".join(
        f"<tr>{heads}"
        + "".join(
            _cell(columns[place][row], numeric[place], (row, place) in best,
                  shares[place][row] if place in shares else None)
            for place in range(len(shown))
        )
        + "</tr>"
        for row, heads in enumerate(_row_heads(frame.index))
    )  # fmt: skip
    told = caption_html(caption)
    mark = _said(lowest, highest)
    if mark:
        told = f"{told} <small>{mark}</small>" if told else mark
    head = f"<caption><span>{told}</span></caption>" if told else ""
    label = html.escape(
        CAPTION_LINK.sub(r"\1", caption) or "Table", quote=True
    )
    rules = properties(".pn-table", (INK, PAPER, QUIET, RULE, ACCENT))
    return Table(
        frame,
        f'<div class="pn-table" tabindex="0" role="region" '
        f'aria-label="{label}"><style>{rules}{BASE}</style>'
        f"<table>{head}<thead>{_heads(frame, shown, numeric)}</thead>"
        f"<tbody>{body}</tbody></table></div>",
    )


def _column(frame, name, digits, signed: bool, half: str | None) -> list[str]:
    """A column's cells as text."""
    count = digits.get(name) if isinstance(digits, Mapping) else digits
    cells = []
    for row, value in enumerate(frame[name]):
        text = _text(value, count, signed)
        if half is not None and text != EMPTY:
            text += f" ± {_text(frame[half].iloc[row], count, False)}"
        cells.append(text)
    return cells


def _text(value: object, digits: int | None, signed: bool) -> str:
    """A value as it is shown: a minus that is one, no NaN."""
    if isinstance(value, str):
        return value
    if value is None or value is pandas.NA or value != value:
        return EMPTY
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    number = float(value)  # type: ignore[arg-type]
    sign = "+" if signed else ""
    if digits is None or (number == int(number) and "int" in type(
        value
    ).__name__):  # fmt: skip
        text = f"{value:{sign},}"
    else:
        text = f"{number:{sign}z,.{digits}f}"
    return text.replace("-", "−") if math.isfinite(number) else str(value)


def _value(cell: str) -> float:
    """The number that a cell begins with, or not a number."""
    found = NUMBER.fullmatch(cell.strip())
    if not found:
        return math.nan
    part = found["part"] or ""
    size = float(found["whole"].replace(",", "") + part)
    return -size if found["sign"] in ("-", "−") else size


def _is_numeric(cells: Sequence[str]) -> bool:
    full = [cell for cell in cells if cell.strip() and cell != EMPTY]
    return bool(full) and all(NUMBER.fullmatch(c.strip()) for c in full)


def _aligned(cells: Sequence[str]) -> list[str]:
    """Cells of numbers with their points, and their ±, below each other.

    What is missing of the longest number stands there unseen, and is not
    read aloud.
    """
    found = [NUMBER.fullmatch(cell.strip()) for cell in cells]

    def longest(name: str) -> str:
        return max((m[name] or "" for m in found if m), key=len, default="")

    part, between = longest("part"), longest("between")
    half, rest, after = longest("half"), longest("rest"), longest("after")

    def unseen(text: str) -> str:
        return f'<i aria-hidden="true">{text}</i>' if text else ""

    lines = []
    for cell, match in zip(cells, found):
        if not match:
            lines.append(html.escape(cell))
            continue
        sign = match["sign"].replace("-", "−")
        own = match["part"] or ""
        text = f"{sign}{match['whole']}{own}{unseen(part[len(own) :])}"
        if match["between"]:
            gap = unseen(half[: len(half) - len(match["half"])])
            tail = match["rest"] or ""
            text += f" ± {gap}{match['half']}{tail}"
            text += unseen(rest[len(tail) :])
        else:
            text += unseen(between + half + rest)
        end = match["after"] or ""
        text += html.escape(end)
        if not end.startswith(" ("):
            text += unseen(html.escape(after[len(end) :]))
        lines.append(text)
    return lines


def _best(
    values: pandas.DataFrame,
    lowest: Along | None,
    highest: Along | None,
    places: Sequence[int],
) -> set[tuple[int, int]]:
    """(row, column) of the best values."""
    found: set[tuple[int, int]] = set()
    for along, name in ((lowest, "min"), (highest, "max")):
        if along is None:
            continue
        chosen = values[list(places)].astype(float)
        turned = chosen if along == "column" else chosen.T
        same = turned.eq(turned.min() if name == "min" else turned.max())
        same = same if along == "column" else same.T
        found |= {
            (row, place)
            for row in range(len(chosen))
            for place in places
            if same.loc[row, place]
        }
    return found


def _said(lowest: Along | None, highest: Along | None) -> str:
    told = [
        f"the {name} of each {along}"
        for name, along in (("lowest", lowest), ("highest", highest))
        if along
    ]
    return f"Bold: {' and '.join(told)}." if told else ""


def _shares(values: pandas.Series, name: str) -> list[float]:
    """Lengths of a column's bars, in percent of the longest."""
    if (values < 0).any():
        raise ValueError(f"column {name!r} has negative numbers: no bars")
    most = values.max()
    return [
        100 * value / most if value == value and most else 0.0
        for value in values
    ]


def _cell(text: str, numeric: bool, best: bool, share: float | None) -> str:
    names = [
        name
        for name, there in (
            ("pn-text", not numeric and text != EMPTY),
            ("pn-best", best),
            ("pn-bar", share is not None),
        )
        if there
    ]
    looks = f' class="{" ".join(names)}"' if names else ""
    width = f' style="--w:{share:.1f}%"' if share is not None else ""
    inner = f"<strong>{text}</strong>" if best else text
    return f"<td{looks}{width}>{inner}</td>"


def _heads(
    frame: pandas.DataFrame, shown: Sequence, numeric: Sequence[bool]
) -> str:
    """The line of the columns' names, below that of their groups."""
    levels = frame.columns.nlevels
    names = [str(name or "") for name in frame.index.names]
    lines = []
    for level in range(levels):
        parts = [n[level] if levels > 1 else n for n in shown]
        last = level == levels - 1
        cells = [
            f'<th scope="col" class="pn-text">{html.escape(name)}</th>'
            if last and name
            else "<td></td>"
            for name in names
        ]
        if last:
            cells += [
                f'<th scope="col"{"" if number else left}>'
                f"{html.escape(str(part))}</th>"
                for part, number in zip(parts, numeric)
                for left in [' class="pn-text"']
            ]
        else:
            cells += [
                f'<th scope="colgroup" colspan="{len(list(same))}">'
                f"{html.escape(str(part))}</th>"
                for part, same in groupby(parts)
            ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join(lines)


def _row_heads(index: pandas.Index) -> list[str]:
    """The names of each row; a name that goes on is said once."""
    rows = [
        entry if isinstance(entry, tuple) else (entry,) for entry in index
    ]
    told = []
    for place, row in enumerate(rows):
        cells = ""
        for level, name in enumerate(row):
            last = level == len(row) - 1
            if not last and place and rows[place - 1][: level + 1] == (
                row[: level + 1]
            ):  # fmt: skip
                continue
            count = 1
            if not last:
                while (
                    place + count < len(rows)
                    and rows[place + count][: level + 1] == row[: level + 1]
                ):
                    count += 1
            span = f' rowspan="{count}"' if count > 1 else ""
            scope = "row" if last else "rowgroup"
            text = name if isinstance(name, str) else _text(name, None, False)
            cells += f'<th scope="{scope}"{span}>{html.escape(text)}</th>'
        told.append(cells)
    return told
