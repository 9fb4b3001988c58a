"""The pages for teachers agree with the records, the slides, the chapters."""

import contextlib
import csv
import io
import json
import re
import tomllib

import pytest

import reading
import slides
import teaching
import toc
from browser import BUILT
from folds import folds
from tests.conftest import refuse
from tests.contents import CHAPTERS, ROOT

GUIDE = (ROOT / "book" / "teaching.md").read_text("utf-8")
POINTS = (ROOT / "book" / "talking_points.md").read_text("utf-8")
WEEKS = teaching.weeks(re.search(r"```{weeks}\n(.*?)```", GUIDE, re.S)[1])
NUMBERED = [
    page.removeprefix("book/")
    for part in toc.parts()
    if part.numbered
    for page in part.pages
]
SECTIONS = re.findall(
    r"^## \[(.*?)\]\((\w+)\)\n(.*?)(?=^## |\Z)", POINTS, re.M | re.S
)


def seconds(name: str) -> float:
    """How long a chapter takes at first, by the record."""
    with open(ROOT / "data" / "results" / "chapter_times.csv") as file:
        rows = {row["chapter"]: row for row in csv.DictReader(file)}
    row = rows.get(toc.title(toc.source(f"book/{name}")))
    return float(row["seconds at first"]) if row else 0.0


def test_the_weeks_are_of_equal_weight():
    weights = [week.minutes for week in WEEKS]
    mean = sum(weights) / len(weights)
    assert len(weights) == 4
    assert all(abs(weight - mean) < mean / 10 for weight in weights), weights
    read = [week.reading for week in WEEKS]
    assert max(read) - min(read) < 20, read


def test_the_module_covers_the_book_in_its_order():
    read = [name for week in WEEKS for name in week.read]
    assert len(read) == len(set(read))
    numbered = [name for name in read if name in NUMBERED]
    assert [*numbered, "playground"] == [
        *(name for name in NUMBERED if name != "playground"), "playground"
    ]  # fmt: skip
    assert "[the playground](playground)" in WEEKS[0].meetings


def test_a_plan_has_the_minutes_of_the_records():
    shown = teaching.plan(WEEKS)
    for number, week in enumerate(WEEKS, start=1):
        pages = [reading.minutes(f"book/{name}") for name in week.read]
        planned = sum(minutes for _, minutes in week.home)
        code = -(-sum(map(seconds, week.read)) // 60)
        row = f"| {sum(pages)} | {planned} | **{sum(pages) + planned}** | "
        asked = [tomllib.loads(file.read_text("utf-8")) for file in (
            ROOT / "book" / "quizzes" / f"{name}.toml" for name in week.read
        ) if file.is_file()]  # fmt: skip
        forms = sum(
            len(one.get("prediction", ()))
            + sum(not q.get("open", False) for q in one.get("question", ()))
            for one in asked
        )
        row += f"{code:g} | {forms} |"
        assert f"**{number}. {week.title}** {row}" in shown
        for name in week.read:
            assert f"]({name})" in shown
    with pytest.raises(ValueError, match="nowhere"):
        teaching.weeks("- {title: x, meetings: y, read: [nowhere], home: []}")


def test_exercises_that_a_week_names_are_there():
    texts = {name: [] for name in NUMBERED}
    for name in NUMBERED:
        path = toc.source(f"book/{name}")
        if path.suffix == ".ipynb":
            cells = json.loads(path.read_text("utf-8"))["cells"]
            texts[name] = ["".join(c["source"]) for c in cells]
    for week in WEEKS:
        for what, _ in week.home:
            if "of *" not in what or "five functions" in what:
                continue
            words = re.search(r"of \*(.*?)\*", what)[1]
            [name] = [
                n for n in week.read
                if words in toc.title(toc.source(f"book/{n}"))
            ]  # fmt: skip
            for number in re.findall(r"\d+", what.partition(" of ")[0]):
                assert re.search(
                    rf"^\*\*{number}\. ", "\n".join(texts[name]), re.M
                ), what


def test_reading_counts_what_is_read(tmp_path, monkeypatch):
    fold = "<details>\n<summary>Hint</summary>\n\nseven\n\n</details>"
    text = (
        "# One two\n\n[three](four.md) it's\n\n```python\nsix\n```\n\n"
        f"{fold}\n\n## Exercises\n\nnot this\n\n## Self-test\n\nnor this\n\n"
        "## After\n\nfive"
    )
    assert folds(text)
    assert reading.words(text) == len("One two three it's After five".split())
    page = {
        "cells": [
            {"cell_type": "markdown", "source": "word " * 300},
            {"cell_type": "code", "source": "a = 1\n\n" * 40, "metadata": {},
             "outputs": [{"data": {"text/html": '<p class="pn-figure">'}}]},
            {"cell_type": "code", "source": "b = 1\n" * 99, "outputs": [],
             "metadata": {"tags": ["hide-input"]}},
            {"cell_type": "code", "source": "my_x = 1  # your turn\n" * 99,
             "outputs": [], "metadata": {}},
        ]
    }  # fmt: skip
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps(page))
    monkeypatch.setattr(toc, "source", lambda name: path)
    assert reading.minutes("book/x") == 5  # 2 of words, 2 of code, a half


def test_what_the_guide_says_of_reading_is_what_is_done():
    said = " ".join(GUIDE.split())
    assert f"computed: {reading.WORDS} words or {reading.LINES} lines" in said
    assert reading.FIGURE == 0.5 and "half a minute for a figure" in said


def test_a_time_is_that_of_the_record():
    for name in NUMBERED:
        told = teaching.told(name)
        assert f"Reading: {reading.minutes(f'book/{name}')} minutes." in told
        first = seconds(name)
        if not first:
            assert "Code" not in told
        elif first < 60:
            assert "Code: under a minute" in told
        else:
            assert f"Code: {-(-first // 60):g} minutes the first" in told


def test_there_is_something_to_say_of_every_chapter():
    assert [name for _, name, _ in SECTIONS] == NUMBERED
    for title, name, text in SECTIONS:
        assert title == toc.title(toc.source(f"book/{name}"))
        assert re.findall(r"{time}`(.*?)`", text) == [name]
        assert re.search(r"In class, planned: \d+ minutes", text)
        said = re.findall(r"^\* \*\*(.*?)\.\*\*", text, re.M)
        assert said == ["Ask", "Expect", "Show", "In one sentence"], name
        pictures = re.findall(r"{picture}`(\w+): ", text)
        assert set(pictures) <= {name}
        assert pictures or name == "playground"


PICTURES = re.findall(r"{picture}`(\w+): (.*?)`", POINTS)


@pytest.mark.parametrize(("chapter", "words"), PICTURES)
def test_a_picture_is_named_by_number_and_caption(chapter, words):
    number, caption = teaching.picture(chapter, words)
    captions = [
        re.search("<figcaption>(.*?)</figcaption>", output["text/html"])
        for output in slides.outputs(chapter)
        if 'class="pn-figure"' in output.get("text/html", "")
    ]
    listed = [found[1] for found in captions if found]
    assert re.sub(r"\W", "", listed[number - 1].replace("&#x27;", "")) == (
        re.sub(r"\W", "", caption)
    )
    with pytest.raises(LookupError):
        teaching.picture(chapter, "No such picture")


def test_the_lecture_plan_is_that_of_the_slides():
    deck = slides.read((slides.PARTS / "lecture.md").read_text("utf-8"))
    minutes = {s.number: int(s.options["minute"]) for s in deck}
    rows = re.findall(r"^\| (\d+)–(\d+) \| (\d+)–(\d+) \|", GUIDE, re.M)
    assert len(rows) >= 5
    next_minute, next_slide = 0, 1
    for row in rows:
        begin, end, first, last = map(int, row)
        assert (begin, first) == (next_minute, next_slide)
        assert begin == minutes[first]
        next_minute, next_slide = end, last + 1
    assert (next_minute, next_slide) == (50, len(deck) + 1)
    optional = [str(s.number) for s in deck if "optional" in s.options]
    told = f"Slides {', '.join(optional[:-1])} and {optional[-1]} may"
    assert told in " ".join(GUIDE.split())


def test_slides_that_the_guide_names_meet_a_misconception():
    deck = slides.read((slides.PARTS / "lecture.md").read_text("utf-8"))
    table = GUIDE.partition("## Misconceptions")[2].partition("\n## ")[0]
    named = [
        int(number)
        for told in re.findall(r"slides? ([\d and,]+)", table)
        for number in re.findall(r"\d+", told)
    ]
    assert len(named) >= 8
    for number in named:
        slide = deck[number - 1]
        assert (
            "isconception" in slide.said
            or "optional" in slide.options
            or ("*Open* means" in slide.said)
        ), slide.title


def headings(name: str) -> set[str]:
    text = toc.source(f"book/{name}").read_text("utf-8")
    cells = json.loads(text)["cells"]
    joined = "\n".join("".join(c["source"]) for c in cells
                       if c["cell_type"] == "markdown")  # fmt: skip
    return set(re.findall(r"^#+ (.*)$", joined, re.M))


def test_sections_that_the_guide_names_are_there():
    table = GUIDE.partition("## Misconceptions")[2].partition("\n## ")[0]
    named = re.findall(
        r"\*([A-Z][^*]*)\*(?: and [^|;]*)? (?:in|of) \[.*?\]\((\w+)\)", table
    )
    assert len(named) >= 12
    for title, name in named:
        assert any(h.startswith(title) for h in headings(name)), (name, title)


def test_the_rendered_pages_have_the_numbers_of_now():
    page = BUILT / "book" / "teaching.html"
    if not page.is_file():
        refuse("the book is not rendered: `make html`")
    text = re.sub("<[^>]*>", " ", page.read_text("utf-8"))
    for week in WEEKS:
        assert re.search(rf"\b{week.reading}\s+\d+\s+{week.minutes}\b", text)
    points = (BUILT / "book" / "talking_points.html").read_text("utf-8")
    for name in NUMBERED:
        assert teaching.told(name) in points
    for chapter, words in PICTURES:
        number, _ = teaching.picture(chapter, words)
        link = f'href="{chapter}.html#figure-{number}">figure {number}</a>'
        assert link in points
    assert len(CHAPTERS) > len(NUMBERED)


def test_the_answers_of_a_class_are_put_together(tmp_path, monkeypatch):
    code = re.search(
        r"## Answers from the pages\n.*?```python\n(.*?)```", GUIDE, re.S
    )[1]
    head = "name,chapter,kind,id,question,first answer,last answer,tries,"
    head += "right answer,first answer right,time"
    given = {
        "ada": ["yes", "no", ""],
        "emil": ["no", "no", ""],
    }
    (tmp_path / "answers").mkdir()
    for name, rights in given.items():
        rows = [
            f'"{name}","1. What?","question","w/{n}","Question {n}","a","b",'
            f'"2","b","{right}","2026"'
            for n, right in enumerate(rights)
        ]
        text = "\ufeff" + "\r\n".join([head, *rows]) + "\r\n"
        (tmp_path / "answers" / f"{name}.csv").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(code, {})
    shown = told.getvalue()
    assert re.search(r"Question 1\s+0\.0\n.*Question 0\s+0\.5", shown)
    assert "Question 2" not in shown
