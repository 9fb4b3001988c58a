"""The questions of a chapter: what it asks, and what a page adds to that.

A chapter asks in its Markdown, so that Jupyter and Colab show everything:
in boxes that begin with *Predict*, and in a self-test with folded answers.
`book/quizzes/CHAPTER.toml` adds what only a page and a learning platform
can use: the choices of a question, each with the reason why it is right or
wrong, and what a reader may enter for a prediction.
"""

import html
import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

import toc

QUIZZES = toc.ROOT / "book" / "quizzes"
SELF_TEST = re.compile(r"^## Self-test\b.*?$(.*?)(?=^## |\Z)", re.M | re.S)
ONE = re.compile(
    r"(?P<text>^\*\*(?:(?!<details>).)+?)\s*"
    r"<details>\s*<summary>Answer</summary>\s*(?P<answer>.+?)\s*</details>",
    re.M | re.S,
)
ALL = re.compile(
    r"(?P<texts>^1\. .+?)\s*"
    r"<details>\s*<summary>Answers</summary>\s*(?P<answers>.+?)\s*</details>",
    re.M | re.S,
)
ITEM = re.compile(r"^\d+\. (.+?)(?=^\d+\. |\Z)", re.M | re.S)
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})


class BadQuiz(ValueError):
    """Questions and what is added to them do not fit together."""


@dataclass(frozen=True)
class Choice:
    """An answer to choose, and why it is right or wrong. Markdown."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question of a self-test; without choices it is an open one.

    text and answer are the chapter's own Markdown.
    """

    id: str
    text: str
    answer: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Slider:
    """Numbers that can be entered: the ends, and how far they are apart."""

    least: float
    most: float
    step: float
    unit: str = ""


@dataclass(frozen=True)
class Prediction:
    """What a reader may enter in a box before the result is shown.

    box: how the box begins, in plain text; ask: what is asked here, if the
    box asks more than this. Of choices, order (what is to be put in order)
    and slider it has one.
    right: the answer, or None where truth or printed say whence it comes
    (see `truths.py`). said: what stands beside the answer.
    """

    id: str
    box: str
    ask: str = ""
    choices: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    slider: Slider | None = None
    right: str | float | None = None
    truth: dict | None = None
    printed: str | None = None
    said: str = ""


@dataclass(frozen=True)
class Quiz:
    """All that can be answered in one chapter."""

    chapter: str
    questions: tuple[Question, ...]
    predictions: tuple[Prediction, ...]

    @property
    def entries(self) -> int:
        """How many forms its page has."""
        asked = sum(bool(question.choices) for question in self.questions)
        return asked + len(self.predictions)


def words(text: str) -> str:
    """Text in one line, without its number and with plain quotes."""
    text = text.translate(QUOTES).replace("\\", "")
    return re.sub(r"^\d+\. ", "", " ".join(text.split()))


def plain(text: str) -> str:
    """Markdown as plain text: without marks, and links without address."""
    parts = re.split(r"`([^`]*)`", LINK.sub(r"\1", text))
    parts[::2] = [re.sub(r"[*$]", "", part) for part in parts[::2]]
    return words("".join(parts))


def asked(chapter: str) -> list[tuple[str, str]]:
    """The questions of a chapter's self-test and their answers, Markdown."""
    notebook = json.loads(toc.source(f"book/{chapter}").read_text("utf-8"))
    prose = "\n\n".join(
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
    )
    section = SELF_TEST.search(prose)
    if not section:
        return []
    together = ALL.search(section[1])
    if together:
        return list(
            zip(*(map(str.strip, ITEM.findall(t)) for t in together.groups()))
        )
    return [
        (number_gone(one["text"]), one["answer"])
        for one in ONE.finditer(section[1])
    ]


def number_gone(text: str) -> str:
    """A question without its number, or without its bold type."""
    numbered = re.match(r"\*\*\d+\.\*\*\s+", text)
    if numbered:
        return text[numbered.end() :]
    return text.removeprefix("**").removesuffix("**")


def file(chapter: str) -> Path:
    return QUIZZES / f"{chapter}.toml"


@cache
def quiz(chapter: str) -> Quiz:
    """What a chapter asks. Raises BadQuiz."""
    where = f"book/quizzes/{chapter}.toml"
    texts = asked(chapter)
    if not file(chapter).is_file():
        if texts:
            raise BadQuiz(f"{where} is missing: the chapter has a self-test")
        return Quiz(chapter, (), ())
    told = tomllib.loads(file(chapter).read_text("utf-8"))
    known = {"question", "prediction"}
    if set(told) - known:
        raise BadQuiz(f"{where}: unknown {sorted(set(told) - known)}")
    made = []
    for entry in told.get("question", []):
        fit = [t for t in texts if plain(t[0]).startswith(entry["begins"])]
        if len(fit) != 1:
            raise BadQuiz(
                f"{where}: {len(fit)} questions of the self-test begin with "
                f"{entry['begins']!r}; quote the beginning of one"
            )
        made.append(question(where, entry, *fit[0]))
    left = {t for t, _ in texts} - {q.text for q in made}
    if left:
        raise BadQuiz(
            f"{where} has nothing about {plain(sorted(left)[0])!r}: give it "
            "choices, or `open = true`"
        )
    made.sort(key=lambda q: [t for t, _ in texts].index(q.text))
    predictions = tuple(
        prediction(where, entry) for entry in told.get("prediction", [])
    )
    ids = [entry.id for entry in (*made, *predictions)]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice:
        raise BadQuiz(f"{where}: {sorted(twice)[0]!r} is there twice")
    return Quiz(chapter, tuple(made), predictions)


def question(where: str, entry: dict, text: str, answer: str) -> Question:
    """A question with its choices. Raises BadQuiz."""
    choices = tuple(Choice(**choice) for choice in entry.get("choice", []))
    right = sum(choice.right for choice in choices)
    if entry.get("open", False) == bool(choices):
        raise BadQuiz(f"{where}: {entry['id']!r} is open, or has choices")
    if choices and (right != 1 or len(choices) < 2):
        raise BadQuiz(
            f"{where}: {entry['id']!r} has {right} right answers among "
            f"{len(choices)}; give it one, and at least one wrong"
        )
    return Question(entry["id"], text, answer, choices)


def prediction(where: str, entry: dict) -> Prediction:
    """What may be entered. Raises BadQuiz."""
    entry = dict(entry)
    for several in ("choices", "order"):
        entry[several] = tuple(entry.get(several, ()))
    if "slider" in entry:
        entry["slider"] = Slider(**entry["slider"])
    made = Prediction(**entry)
    kinds = [made.choices, made.order, made.slider]
    whence = [made.right, made.truth, made.printed]
    if sum(map(bool, kinds)) != 1 or sum(w is not None for w in whence) != 1:
        raise BadQuiz(
            f"{where}: {made.id!r} needs one of choices, order, slider and "
            "one of right, truth, printed"
        )
    return made


@cache
def quizzes() -> dict[str, Quiz]:
    """The quiz of each chapter that has one, in the book's order."""
    chapters = [
        Path(page).name
        for page in toc.pages()
        if toc.source(page).suffix == ".ipynb"
    ]
    lost = {path.stem for path in QUIZZES.glob("*.toml")} - set(chapters)
    if lost:
        raise BadQuiz(f"book/quizzes/{sorted(lost)[0]}.toml: no such chapter")
    made = {chapter: quiz(chapter) for chapter in chapters}
    return {name: one for name, one in made.items() if one.entries}


def rendered(text: str, formula, inline: bool = False) -> str:
    """Markdown as HTML. formula: makes HTML of a formula in TeX.

    Links lead nowhere outside the book, so their words alone are left.
    """
    reader = MarkdownIt("commonmark", {"typographer": True})
    reader.enable("smartquotes").use(dollarmath_plugin)

    def math(self, tokens, place, options, env):
        return formula(tokens[place].content)

    reader.add_render_rule("math_inline", math)
    text = LINK.sub(r"\1", text)
    return reader.renderInline(text) if inline else reader.render(text)


def escaped_formula(tex: str) -> str:
    """A formula as platforms with MathJax show it."""
    return rf"\({html.escape(tex, quote=False)}\)"
