"""The folds of a chapter, and which of them give something away.

A fold is `<details>` with a `<summary>` in a Markdown cell. Its summary
says what it is: a hint stays with the exercise; an answer is what
students are to find themselves. A summary that is neither is refused, so
that no new kind of fold is taken for the wrong one.
"""

import re
from dataclasses import dataclass

HINTS = ("Hint", "Hints")
ANSWERS = (
    "Answer", "Answers", "Solution", "Hints and a solution",
    "What to look at",
)  # fmt: skip
FENCE = re.compile(r"^(```+).*?^\1", re.MULTILINE | re.DOTALL)
TAG = re.compile(r"<(/?)details\b[^>]*>")
SUMMARY = re.compile(r"\s*<summary>(.*?)</summary>", re.DOTALL)


class BadFold(ValueError):
    """A fold that is not closed, or does not say what it is."""


@dataclass(frozen=True)
class Fold:
    """One fold. start, end: its place in the text, tags included."""

    summary: str
    start: int
    end: int

    @property
    def answer(self) -> bool:
        return self.summary in ANSWERS


def folds(text: str) -> list[Fold]:
    """The folds of a Markdown text, in order. Raises BadFold."""
    # what stands in a fence is code; blanks keep the places
    plain = FENCE.sub(lambda found: " " * len(found[0]), text)
    made: list[Fold] = []
    begun: re.Match | None = None
    for tag in TAG.finditer(plain):
        if bool(tag[1]) != (begun is not None):
            near = text[tag.start() : tag.end() + 60]
            raise BadFold(
                f"{tag[0]}: one fold inside another, or none: {near!r}"
            )
        if begun is None:
            begun = tag
            continue
        made.append(_fold(text, begun, tag))
        begun = None
    if begun:
        raise BadFold(f"not closed: {text[begun.start() :][:80]!r}")
    return made


def _fold(text: str, first: re.Match, last: re.Match) -> Fold:
    head = SUMMARY.match(text, first.end(), last.start())
    summary = head[1].strip() if head else ""
    if summary not in HINTS + ANSWERS:
        raise BadFold(
            f"a fold with the summary {summary!r}; call it one of "
            f"{', '.join(HINTS + ANSWERS)}, or add it to `folds.py`"
        )
    return Fold(summary, first.start(), last.end())


def without(text: str, gone: list[Fold]) -> str:
    """A text less some of its folds; one empty line where each was."""
    for fold in reversed(gone):
        before = text[: fold.start].rstrip()
        after = text[fold.end :].lstrip("\n")
        text = before + "\n\n" + after if before and after else before + after
    return text
