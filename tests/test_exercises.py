"""Checks of exercises accept what is right and reject what is not.

The answers to a chapter's exercises lie in `answers/<chapter>.py`, as a
tuple `CASES` of `Case`.
"""

import importlib
import inspect
import pkgutil

import pytest

from packnet_book import exercises
from packnet_book.exercises import WrongAnswer, called, near
from tests import answers

CHAPTERS = [
    module.name
    for module in pkgutil.iter_modules(exercises.__path__)
    if not module.ispkg  # marking
]
CASES = [
    case
    for module in pkgutil.iter_modules(answers.__path__)
    for case in getattr(
        importlib.import_module(f"tests.answers.{module.name}"), "CASES", ()
    )
]
RIGHT = [(case.check, answer) for case in CASES for answer in case.right]
WRONG = [(case.check, answer) for case in CASES for answer in case.wrong]


def named(value):
    return getattr(value, "__name__", "")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_check_has_a_right_and_three_wrong_answers(chapter):
    module = importlib.import_module(f"packnet_book.exercises.{chapter}")
    checks = {
        check
        for name, check in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("check_")
    }
    assert checks
    known = {case.check: case for case in CASES}
    for check in checks:
        assert known[check].right, check
        assert len(known[check].wrong) >= 3, check


@pytest.mark.parametrize(("check", "answer"), RIGHT, ids=named)
def test_a_right_answer_is_accepted(check, answer, capsys):
    check(*answer)
    assert "right" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer"), WRONG, ids=named)
def test_a_wrong_answer_is_rejected_and_told_why(check, answer, capsys):
    with pytest.raises(WrongAnswer) as caught:
        check(*answer)
    assert len(str(caught.value)) > 15
    assert "right" not in capsys.readouterr().out


def test_what_is_no_function_or_returns_nothing_is_told():
    with pytest.raises(WrongAnswer, match="the function itself"):
        called(3)
    with pytest.raises(WrongAnswer, match="return"):
        called(lambda: None)
    with pytest.raises(WrongAnswer, match="ZeroDivisionError"):
        called(lambda x: 1 / x, 0)


def test_numbers_are_compared_with_a_tolerance():
    near(0.5 + 1e-9, 0.5, "it is a half")
    with pytest.raises(WrongAnswer, match="it is a half"):
        near(0.51, 0.5, "it is a half")
    with pytest.raises(WrongAnswer, match="not a number"):
        near("many", 0.5, "it is a half")
