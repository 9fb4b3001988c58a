"""Marking tells right from wrong, whatever is handed in, and survives it."""

import csv
import json
import os
import re
import signal
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from packnet_book.exercises.marking import __main__ as command
from packnet_book.exercises.marking.asked import chapters
from packnet_book.exercises.marking.marked import Marked, mark
from packnet_book.exercises.marking.report import page, table
from packnet_book.exercises.marking.trial import Result, Verdict
from packnet_book.exercises.marking.workers import FORKS, Limits
from tests.contents import CHAPTERS, ROOT

BOOK = ROOT / "book"
KNOWN = chapters(BOOK)
CHAPTER = "prerequisites"  # trains nothing
LIMITS = Limits(seconds=10, memory=2**28)
FOLD = re.compile(
    r"<details>\s*<summary>(?:Solution|Hints and a solution)</summary>"
    r"(.*?)</details>",
    re.DOTALL,
)
FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`(my_\w+ = [^`]+)`")


def read(name: str = CHAPTER) -> dict:
    return json.loads((BOOK / f"{name}.ipynb").read_text("utf-8"))


def source(cell: dict) -> str:
    return "".join(cell["source"])


def printed(name: str) -> dict[str, str]:
    """What the chapter's folded solutions give each name of theirs."""
    text = "\n".join(source(cell) for cell in read(name)["cells"])
    found = {}
    for fold in FOLD.findall(text):
        for code in (*FENCE.findall(fold), *INLINE.findall(fold)):
            for mine in re.findall(
                r"^(?:def )?(my_\w+)(?=\(| = )", code, re.M
            ):
                found[mine] = code.strip()
    return found


def filled(answers: dict[str, str], name: str = CHAPTER) -> dict:
    """A chapter's notebook with answers in place of what is to be filled."""
    notebook = read(name)
    for cell in notebook["cells"]:
        text = source(cell)
        if cell["cell_type"] != "code":
            continue
        for mine, answer in answers.items():
            stub = rf"^def {mine}\(.*?\n(?=\n\n|\Z)|^{mine} = .*$"
            stub = stub.replace(".*?", r"(?:.|\n)*?")
            text = re.sub(stub, lambda _, new=answer: new, text, flags=re.M)
        cell["source"] = text
    return notebook


RIGHT = printed(CHAPTER)


def function(name: str, body: str) -> str:
    head = RIGHT[name].splitlines()[0]
    return f"{head}\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}"


def right_but(name: str, body: str) -> dict:
    return filled({**RIGHT, name: function(name, body)})


def renamed() -> dict:
    """One function renamed with its check, one without it."""
    notebook = filled(RIGHT)
    for cell in notebook["cells"]:
        text = source(cell).replace("my_step", "one_step")
        if "def my_top_error" in text:
            text = text.replace("def my_top_error", "def top_error_of_mine")
        cell["source"] = text
    return notebook


def without_cells() -> dict:
    notebook = filled(RIGHT)
    notebook["cells"] = [
        cell
        for cell in notebook["cells"]
        if not re.search("my_shapes =|def my_halved|^# |^## ", source(cell))
    ]
    return notebook


def of_another_kernel() -> dict:
    notebook = filled(RIGHT)
    notebook["metadata"] = {
        "kernelspec": {"name": "lab-7", "display_name": "Lab 7",
                       "language": "python"},
        "language_info": {"name": "python", "version": "3.99"},
    }  # fmt: skip
    return notebook


def helped() -> dict:
    """Helpers in cells of their own, magics, a first try, own imports."""
    notebook = filled({**RIGHT, "my_halved": "pass"})
    extra = (
        "import torch as th\n%matplotlib inline\nhalf = 0.5",
        "def scaled(t):\n    return half * t\n",
        "def my_halved(weight, owner, task):\n    return weight",
        "def my_halved(weight, owner, task):\n"
        "    return th.where(owner == task, scaled(weight), weight)",
    )
    for text in extra:
        notebook["cells"].append({"cell_type": "code", "source": text})
    return notebook


CHEAT = "import packnet_book.exercises.prerequisites as checks\n"
# What is handed in, and what is to be said of each of the five exercises:
# p passed, w wrong, e an error, s stopped, n not attempted, - not found.
HANDED_IN: dict[str, tuple[dict | str | bytes, str]] = {
    "right": (filled(RIGHT), "ppppp"),
    "wrong": (filled({
        "my_shapes": "my_shapes = [(8, 5), (8, 5), (5,)]",
        "my_halved": function("my_halved", "return weight / 2"),
        "my_step": function("my_step", """
            velocity = momentum * velocity + gradient
            return weight - rate * velocity, velocity"""),
        "my_top_error": function("my_top_error", """
            best = logits.topk(k, dim=1).indices
            right = (best == labels[:, None]).any(1)
            return 100 * right.double().mean().item()"""),
        "my_convolution": function("my_convolution", """
            return filters * kernel * kernel, side"""),
    }), "wwwww"),
    "nothing filled in": (read(), "nnnnn"),
    "only the first two": (
        filled({n: RIGHT[n] for n in ("my_shapes", "my_halved")}), "ppnnn"),
    "damaged": (json.dumps(filled(RIGHT))[:5000], ""),
    "a picture": (b"\x89PNG\r\n\x1a\n\xff\xfe", ""),
    "no cells": ({"cells": [], "metadata": {}, "nbformat": 4}, ""),
    "endless": (right_but("my_step", "while True: pass"), "ppspp"),
    "sleeps": (right_but("my_halved", "import time; time.sleep(999)"),
               "psppp"),
    "raises": (filled({
        **RIGHT,
        "my_halved": function("my_halved", "return 1 / 0"),
        "my_step": "my_step = undefined",
        "my_top_error": function("my_top_error", "raise SystemExit"),
    }), "peeep"),
    "prints much": (right_but("my_halved", """
        for _ in range(20000):
            print("x" * 1000)
        return torch.where(owner == task, weight / 2, weight)"""), "ppppp"),
    "renames": (renamed(), "ppp-p"),
    "deletes cells": (without_cells(), "--ppp"),
    "another kernel": (of_another_kernel(), "ppppp"),
    "another language": ({**read(), "metadata": {
        "kernelspec": {"name": "ir", "language": "R"}}}, ""),
    "no Python": (filled({**RIGHT, "my_step": "def my_step(:\n  return"}),
                  "pp-pp"),
    "helpers": (helped(), "ppppp"),
    "returns nothing": (right_but("my_halved", "weight / 2"), "pwppp"),
    "ends its process": (
        right_but("my_halved", "import os; os._exit(0)"), "psppp"),
    "ends the marking": (right_but("my_halved", """
        import os, pathlib, signal, time
        with pathlib.Path(PLACE, "left").open("x") as file:  # once only
            file.write(str(os.getpid()))
        os.kill(os.getppid(), signal.SIGKILL)
        while True: time.sleep(1)"""), "psppp"),
    "takes all memory": (right_but("my_halved", """
        kept = []
        while True: kept.append(bytearray(2**26))"""), "peppp"),
    "replaces the check": (filled({**RIGHT, "my_halved":
        CHEAT + "checks.expect = lambda *_: None\n"
        "checks.check_halved = check_halved = print\n"
        + function("my_halved", "return weight")}), "pwppp"),
}  # fmt: skip
LETTERS = {
    "passed": "p",
    "wrong": "w",
    "raises an error": "e",
    "stopped": "s",
    "not attempted": "n",
    "not found": "-",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("handed in")
    left = place.parent
    for name, (content, _) in HANDED_IN.items():
        if isinstance(content, dict):
            content = json.dumps(content)
            content = content.replace("PLACE", repr(str(left)))
        if isinstance(content, str):
            content = content.encode()
        (place / f"{name}.ipynb").write_bytes(content)
    return place


@pytest.fixture(scope="module")
def marked(folder):
    paths = [folder / f"{name}.ipynb" for name in HANDED_IN]
    before = {*folder.iterdir()}, os.getcwd()
    made = mark(paths, KNOWN, replace(LIMITS, seconds=4))
    assert ({*folder.iterdir()}, os.getcwd()) == before
    return dict(zip(HANDED_IN, made, strict=True))


@pytest.mark.skipif(not FORKS, reason="takes a fork for each attempt")
@pytest.mark.parametrize("name", HANDED_IN)
def test_right_is_told_from_wrong(marked, name):
    wanted = HANDED_IN[name][1]
    one = marked[name]
    said = [f"{v.result}: {v.said}" for _, v in one.rows]
    assert "".join(LETTERS[v.result] for _, v in one.rows) == wanted, said
    assert one.points == wanted.count("p")
    assert bool(one.problem) == (not wanted)
    assert one.most == len(wanted)


@pytest.mark.skipif(not FORKS, reason="takes a fork for each attempt")
def test_nobody_who_ends_the_marking_is_left_running(marked, folder):
    assert marked["ends the marking"].points == 4
    number = int((folder.parent / "left").read_text())
    for _ in range(50):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    os.kill(number, signal.SIGKILL)
    pytest.fail("its process still runs")


@pytest.mark.parametrize(
    "name, number, words",
    [
        ("wrong", 1, r"\(b\) you say"),
        ("wrong", 2, "weights that do not belong"),
        ("endless", 3, "still running after 4 s"),
        ("raises", 2, "ZeroDivisionError"),
        ("raises", 3, "NameError.*undefined"),
        ("raises", 4, "SystemExit"),
        ("renames", 4, "no cell gives `my_top_error` a value"),
        ("no Python", 3, "no Python: line 4"),
        ("returns nothing", 2, "return"),
        ("ends its process", 2, "ended without a result"),
        ("ends the marking", 2, "ended without a result"),
        ("takes all memory", 2, "MemoryError"),
    ],
)
def test_a_report_says_what_is_wrong(marked, name, number, words):
    verdict = marked[name].rows[number - 1][1]
    assert re.search(words, verdict.said), verdict.said
    lines = [
        line
        for line in page(marked[name]).splitlines()
        if line.startswith(f"| {number}. ")
    ]
    assert len(lines) == 1 and lines[0].endswith("| 0 |")
    assert verdict.said.split()[0].strip("`()") in lines[0]


@pytest.mark.parametrize(
    "name, words",
    [
        ("damaged", "damaged"),
        ("a picture", "damaged"),
        ("no cells", "is empty"),
        ("another language", "written in R"),
    ],
)
def test_what_cannot_be_read_is_said_and_costs_the_others_nothing(
    marked, name, words
):
    assert words in marked[name].problem
    assert "Not marked" in page(marked[name])


def test_the_class_has_one_table(marked):
    rows = list(csv.DictReader(table(marked.values()).splitlines()))
    assert [Path(row["notebook"]).stem for row in rows] == list(HANDED_IN)
    for row, (_, wanted) in zip(rows, HANDED_IN.values()):
        assert row["points"] == (str(wanted.count("p")) if wanted else "")
        assert [row[n] for n in "12345"] == (
            [str(int(letter == "p")) for letter in wanted] or [""] * 5
        )


def test_a_name_is_text_and_nothing_else(marked):
    one = marked["right"]
    kept = one.path
    one.path = Path("=HYPERLINK(1)|<b>.ipynb")
    try:
        assert "\n'=HYPERLINK" in table([one])
        assert r"\|\<b\>" in page(one)
    finally:
        one.path = kept


def test_without_forks_it_is_the_same(folder):
    names = ("only the first two", "raises")
    paths = [folder / f"{name}.ipynb" for name in names]
    # two of three, to spare the time: each takes a Python of its own
    made = mark(paths[:1], KNOWN, LIMITS, forks=False)
    assert "".join(LETTERS[v.result] for _, v in made[0].rows) == "ppnnn"


def test_what_never_ends_is_ended_without_forks_too(tmp_path):
    path = tmp_path / "x.ipynb"
    answers = {"my_halved": function("my_halved", "while True: pass")}
    path.write_text(json.dumps(filled(answers)))
    [made] = mark([path], KNOWN, Limits(seconds=2), forks=False)
    assert "".join(LETTERS[v.result] for _, v in made.rows) == "nsnnn"


def test_the_printed_solutions_get_all_points(tmp_path):
    chapter = "step_by_step"
    answers = printed(chapter)
    path = tmp_path / f"{chapter}.ipynb"
    path.write_text(json.dumps(filled(answers, chapter)))
    [made] = mark([path], KNOWN, Limits(seconds=120))
    wanted = {name for x, _ in made.rows for name in x.names}
    assert wanted == answers.keys()
    assert made.points == made.most >= 3, page(made)
    assert "to be read" in page(made)


@pytest.mark.parametrize("name", [c.removeprefix("book/") for c in CHAPTERS])
def test_every_exercise_of_a_chapter_is_known(name):
    text = [source(cell) for cell in read(name)["cells"]]
    known = KNOWN[name].exercises
    numbers = [int(exercise.number) for exercise in known]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 4
    called = {
        check
        for cell in text
        for check in re.findall(
            r"(check_\w+)\(|choose\(\w+, (check_\w+)", cell
        )
        for check in check
        if check
    }
    assert called == set().union(*(x.checks for x in known))
    for exercise in known:
        assert exercise.title
        assert bool(exercise.checks) == bool(exercise.names)
        assert bool(exercise.names) == bool(exercise.judging)
        cells = KNOWN[name].cells[: exercise.before]
        bound = set().union(*(cell.binds for cell in cells))
        assert not bound & set(exercise.names)


def test_the_forms_of_checks_are_all_understood(tmp_path):
    """`if not filled`, `choose`, `try`, and two cells for one exercise."""
    texts = [
        "# A small chapter\n\n**1. Add.** Do.",
        "from packnet_book.exercises import expect, right\n"
        "from packnet_book.exercises.from_scratch import choose\n"
        "def check_add(f):\n    expect(f(1, 2) == 3, 'no sum')\n    right()\n"
        "def check_two(x):\n    expect(x == 2, 'not two')\n    right()\n"
        "book_add = lambda a, b: a + b",
        "def my_add(a, b):\n    return None  # your turn",
        "if my_add(0, 0) is None:\n    print('not yet')\nelse:\n"
        "    check_add(my_add)\ncheck_add(book_add)  # ours",
        "**2. Try.** Do.",
        "def my_try(a, b):\n    return 5  # your turn\n"
        "try:\n    check_add(my_try)\n"
        "except AssertionError as e:\n    print(e)",
        "**3. Filled.**",
        "my_two = {}  # your turn\nif my_two:\n    check_two(my_two)\n"
        "else:\n    print('not yet')",
        "**4. Both.**",
        "my_one = None\nmy_pair = None  # your turn\nif my_one is None:\n"
        "    print('not yet')\nelse:\n    check_two(my_one)\n"
        "    check_add(*my_pair)",
        "**5. Read.** Say.\n\n## Self-test\n\n**1.** Why?",
    ]
    kinds = ["markdown" if t[0] in "#*" else "code" for t in texts]
    book = tmp_path / "book"
    book.mkdir()

    def write(path, texts):
        cells = [
            {"cell_type": kind, "source": text}
            for kind, text in zip(kinds, texts)
        ]
        path.write_text(json.dumps({"cells": cells}))

    write(book / "small.ipynb", texts)
    known = chapters(book)
    assert [x.number for x in known["small"].exercises] == list("12345")
    right, wrong, none = list(texts), list(texts), list(texts)
    right[2] = "def my_add(a, b):\n    return a + b"
    right[5] = texts[5].replace("return 5", "return a + b")
    right[7] = texts[7].replace("{}", "2")
    add = "[lambda a, b: a + b]"
    right[9] = (
        texts[9]
        .replace("one = None", "one = 2")
        .replace("pair = None", f"pair = {add}")
    )
    none[2] = "def my_add(a, b):\n    a + b"  # while ours is right
    none[9] = right[9].replace(add, "3")  # one of two checks is passed
    wrong[2] = "def my_add(a, b):\n    return a - b"
    wrong[5] = texts[5].replace("return 5", "return a - b")
    wrong[7] = texts[7].replace("{}", "3")
    wrong[9] = right[9].replace("one = 2", "one = 3")
    paths = [tmp_path / f"{name}.ipynb" for name in ("r", "w", "u", "n")]
    for path, what in zip(paths, (right, wrong, texts, none)):
        write(path, what)
    made = mark(paths, known, LIMITS)
    told = ["".join(LETTERS.get(v.result, "r") for _, v in m.rows)
            for m in made]  # fmt: skip
    assert told == ["ppppr", "wwwwr", "nnnnr", "wnner"]


def made_up(tmp_path, name: str, before: str) -> Path:
    """A notebook of a chapter made up in `tmp_path/book`, filled in."""
    cells = [
        {"cell_type": "markdown", "source": f"# {name}\n\n**1. One.**"},
        {"cell_type": "code", "source": before},
        {"cell_type": "code", "source": f"my_{name} = None\n"
                                        f"check_it(my_{name})"},
    ]  # fmt: skip
    book = tmp_path / "book"
    book.mkdir(exist_ok=True)
    (book / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
    cells[2]["source"] = f"my_{name} = 1\ncheck_it(my_{name})"
    path = tmp_path / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    return path


CHECK = "def check_it(x):\n    assert x == 1"


def test_a_chapter_that_fails_is_no_fault_of_the_students(tmp_path, capsys):
    """And the other chapters are marked, and reports written."""
    bad = made_up(tmp_path, "bad", f"{CHECK}\n1 / 0")
    good = made_up(tmp_path, "good", CHECK)
    first, second = mark([bad, good], chapters(tmp_path / "book"), LIMITS)
    assert re.search(r"own chapter fails.*ZeroDivisionError", first.problem)
    assert "Mend the chapter" in page(first)
    assert (second.problem, second.points) == ("", 1)
    out = tmp_path / "marks"
    words = [str(bad), str(good), "--book", str(tmp_path / "book")]
    assert command.main([*words, "--out", str(out)]) == 1
    assert "ZeroDivisionError" in (out / "bad.md").read_text()
    assert "1 of 1" in capsys.readouterr().out


def test_what_a_chapter_pickles_of_its_own_can_be_read_again(tmp_path):
    path = made_up(
        tmp_path,
        "kept",
        f"{CHECK}\nimport pickle\nclass Small:\n    pass\n"
        "pickle.loads(pickle.dumps(Small()))",
    )
    (made,) = mark([path], chapters(tmp_path / "book"), LIMITS)
    assert (made.problem, made.points) == ("", 1)


def test_the_table_that_teachers_are_shown_is_one(tmp_path):
    text = (BOOK / "teaching.md").read_text("utf-8")
    shown = re.search(r"^notebook,chapter,.*?(?=```)", text, re.M | re.S)[0]
    header, *rows = csv.reader(shown.splitlines())
    damaged = tmp_path / "cem.ipynb"
    damaged.write_text("{")
    made = []
    for name, chapter, problem, *marks in rows:
        if problem:
            [one] = mark([damaged], KNOWN, LIMITS)
            assert (one.problem, marks) == (problem, [""] * len(marks))
        else:
            [stem] = [n for n, c in KNOWN.items() if c.title == chapter]
            asked = [x for x in KNOWN[stem].exercises if x.checks]
            given = [
                Verdict(Result.PASSED if m == "1" else Result.WRONG)
                for m in marks[: len(asked)]
            ]
            one = Marked(
                Path(), "", chapter, [*zip(asked, given, strict=True)]
            )
        made.append(replace(one, path=Path(name)))
    assert table(made) == shown
    assert header[-2:] == ["points", "of"]


def test_the_command_writes_reports_and_a_table(folder, tmp_path, capsys):
    out = tmp_path / "marks"
    other = tmp_path / "damaged.ipynb"
    other.write_text("{")
    names = ("nothing filled in", "damaged")
    paths = [str(folder / f"{name}.ipynb") for name in names]
    assert command.main([*paths, str(other), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {
        "nothing filled in.md", "damaged.md", "damaged-2.md", "class.csv",
    }  # fmt: skip
    assert "0 of 5" in capsys.readouterr().out
    empty = tmp_path / "empty"
    empty.mkdir()
    assert command.main([*paths, "--book", str(empty)]) == 1
    assert "no chapters of the book" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        command.main([*paths, "--chapter", "nowhere"])
    assert ended.value.code == 2
