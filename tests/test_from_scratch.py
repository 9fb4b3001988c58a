"""*PackNet from scratch*: whose functions the chapter goes on with."""

import inspect

import pytest
import torch

from packnet_book import from_scratch
from packnet_book.exercises import WrongAnswer
from packnet_book.exercises.from_scratch import (
    check_hand_over,
    check_see,
    choose,
)


def my_see(trunk, owner, task):
    """Not filled in."""
    ...


@torch.no_grad()
def my_hand_over(trunk, owner, task):
    """Not filled in, and decorated."""
    ...


def test_what_is_not_filled_in_is_taken_from_the_book(capsys):
    assert choose(my_see, check_see) is from_scratch.see
    assert choose(my_hand_over, check_hand_over) is from_scratch.hand_over
    told = capsys.readouterr().out
    assert "my_see is not filled in" in told and "right" not in told


def test_what_is_filled_in_is_checked_and_used(capsys):
    def my_see(trunk, owner, task):
        return from_scratch.see(trunk, owner, task)

    assert choose(my_see, check_see) is my_see
    assert "right" in capsys.readouterr().out


def test_what_is_filled_in_and_wrong_is_refused():
    def my_see(trunk, owner, task):
        return dict(owner)

    with pytest.raises(WrongAnswer):
        choose(my_see, check_see)
    with pytest.raises(WrongAnswer, match="the function itself"):
        choose({}, check_see)


def test_the_five_functions_and_the_loop_are_about_sixty_lines():
    steps = ("train", "see", "prune", "retrain", "freeze", "hand_over")
    written = "".join(
        inspect.getsource(getattr(from_scratch, step)) for step in steps
    )
    lines = [line for line in written.splitlines() if line.strip()]
    assert len(lines) < 80  # with docstrings and types
