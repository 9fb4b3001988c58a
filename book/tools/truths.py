"""What came out: the truths that stand beside predictions.

None is typed where a number can change. It is computed from the recorded
results, from the presets, or from what the chapter has printed, and changes
with them. A truth that cannot be had stops the rendering.
"""

import printed_truths
import recorded_truths
import variant_truths
from evidence import ANSWERS, NoTruth, Truth, found_in, number
from questions import Prediction

SOURCES = (
    recorded_truths,
    variant_truths,
    printed_truths,
)  # they fill ANSWERS


def truth(chapter: str, asked: Prediction) -> Truth:
    """The answer to a prediction of a chapter. Raises NoTruth."""
    where = f"book/quizzes/{chapter}.toml, {asked.id!r}"
    try:
        found = unchecked(chapter, asked)
        asked.said.format(**found.facts)
    except (LookupError, ValueError, TypeError) as error:
        raise NoTruth(f"{where}: {error}") from error
    if asked.choices and found.right not in asked.choices:
        raise NoTruth(f"{where}: {found.right!r} is none of its choices")
    if asked.order and sorted(asked.order) != sorted(found.right):
        raise NoTruth(f"{where}: what it orders is not {found.right}")
    if asked.slider:
        least, most = asked.slider.least, asked.slider.most
        if not least <= found.right <= most:
            raise NoTruth(f"{where}: {found.right} is not on its slider")
    return found


def unchecked(chapter: str, asked: Prediction) -> Truth:
    if asked.right is not None:
        return Truth(asked.right)
    if asked.truth is not None:
        how = dict(asked.truth)
        return ANSWERS[how.pop("is")](**how)
    return quoted(chapter, str(asked.printed), bool(asked.slider))


def quoted(chapter: str, pattern: str, numeric: bool) -> Truth:
    """What the unnamed group of a pattern finds in a chapter's outputs.

    Named groups are facts beside it. Raises NoTruth.
    """
    found = found_in(chapter, pattern)
    named = set(found.re.groupindex.values())
    [place] = set(range(1, found.re.groups + 1)) - named
    right = found[place]
    return Truth(number(right) if numeric else right, found.groupdict())
