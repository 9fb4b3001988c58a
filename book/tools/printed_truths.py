"""Answers to predictions that the stored outputs of chapters give."""

import re

from evidence import (
    NoTruth,
    Truth,
    answer,
    column,
    compared,
    found_in,
    listed,
    number,
    printed,
)
from recorded_truths import TASKS

OWNERS, SCALE = "who_owns_which_weight", "paper_scale"
WAYS = ("task named", "largest logit", "largest softmax", "least entropy")


@answer
def larger_weights(one: str, other: str) -> Truth:
    """Which of two tasks has the larger weights, as parts of 1."""
    told = column(OWNERS, r"(\w+) has 1/(\d+) of it")
    words = (f"those of {one}", "about equal", f"those of {other}")
    facts = {"one": f"{told[one]:g}", "other": f"{told[other]:g}"}
    return Truth(compared(told[one], told[other], 0, words), facts)


@answer
def by_size(task: str) -> Truth:
    """A task's own share of what it sees, by size and by number."""
    table = (
        r"own, by number \(%\) +own, by size \(%\)\n(?:.*\n)*?"
        rf"{task} +([\d.]+) +([\d.]+)"
    )
    count, size = map(number, found_in(OWNERS, table).groups())
    words = ("smaller than by number", "about the same",
             "larger than by number")  # fmt: skip
    facts = {"number": f"{count:.1f}", "size": f"{size:.1f}"}
    return Truth(compared(size, count, 1, words), facts)


@answer
def silent() -> Truth:
    """How many filters of the worst layer are silent."""
    told = found_in(
        OWNERS,
        r"in the worst layer and task: (?P<convolution>[\d.]+)% of the "
        r"filters\s+of a convolution, (?P<linear>[\d.]+)% of those",
    )
    worst = max(map(number, told.groups()))
    names = ("fewer than a tenth", "about a quarter", "about a half",
             "nearly all")  # fmt: skip
    name = names[sum(worst >= end for end in (10, 37, 75))]
    return Truth(name, told.groupdict())


@answer
def more_harm() -> Truth:
    """Weight decay or old momentum, by the error at the end."""
    told = column(
        "seven_ways",
        r"(?m)^(decay|old momentum) .*error of objects [\d.]+ -> ([\d.]+) %",
    )
    facts = {"decay": told["decay"], "momentum": told["old momentum"]}
    return Truth(max(told, key=told.__getitem__), facts)


@answer
def packed_head() -> Truth:
    """What a packed head costs birds, with the best of its rates."""
    line = r"(?m)^(a head each|packed) .*birds ([\d.]+) %"
    found_in("seven_ways", line)
    told = re.findall(line, printed("seven_ways"))
    alone, packed = (
        min(number(error) for name, error in told if name == wanted)
        for wanted in ("a head each", "packed")
    )
    return Truth(packed - alone)


@answer
def freed_least() -> Truth:
    """The layer of which one cutoff for all frees least."""
    layer = found_in("what_if", r"freed least: ([\w.]+),")[1]
    names = {
        "features.0": "the first convolution",
        "features.28": "the last convolution",
        "classifier.0": "the first linear layer",
        "classifier.3": "the last linear layer",
    }
    return Truth(names[layer], {"layer": layer})


@answer
def first_without(freed: float) -> Truth:
    """The first task that keeps nothing of VGG-16's smallest layer."""
    table = r"features\.0\.weight +([\d,]+) +0\.50"
    weights = int(number(found_in("limits", table)[1]))
    left, task = weights, 1
    while round(freed * left) < left:
        left, task = round(freed * left), task + 1
    return Truth(task, {"weights": f"{weights:,}"})


def ways() -> dict[str, float]:
    """Mean errors with the task named, and in the three other ways."""
    row = r"(?:.*\n)*?mean +([\d. ]+)"
    first = found_in("limits", rf"task named +largest logit.*\n{row}")
    values = first[1].split()
    if len(values) < len(WAYS):  # the table goes on below
        rest = found_in("limits", rf"(?m)^ +least entropy *\n{row}")
        values += rest[1].split()
    return dict(zip(WAYS, map(number, values), strict=True))


@answer
def unnamed() -> Truth:
    """Points of error that the best way adds when no task is named."""
    named, *others = ways().items()
    more = {way: error - named[1] for way, error in others}
    return Truth(min(more.values()), {"list": listed(more, "+")})


@answer
def best_way() -> Truth:
    """The way to choose among all classes that has the lowest error."""
    others = dict(list(ways().items())[1:])
    best = min(others, key=others.__getitem__)
    return Truth(best, {"list": listed(others)})


@answer
def rarely_found() -> Truth:
    """The task whose pictures are ascribed to it least often."""
    head = " +".join(TASKS)
    rows = r"\n".join(rf"{task} +(.+)" for task in TASKS)
    table = found_in("limits", rf"(?m)^ +{head} *\n{rows}")
    share = {
        task: number(row.split()[place])
        for place, (task, row) in enumerate(zip(TASKS, table.groups()))
    }
    return Truth(min(share, key=share.__getitem__), {"list": listed(share)})


@answer
def toy_masks(masked: bool) -> Truth:
    """Mean error of the three toy tasks, with their masks or without."""
    line = r"([\d.]+) % " + ("with its mask" if masked else "wrong unmasked")
    found_in("limits", line)
    found = [number(error) for error in re.findall(line, printed("limits"))]
    return Truth(sum(found) / len(found))


@answer
def three_ways() -> Truth:
    """Errors of a task of one's own, the lowest first."""
    found = column(
        "your_own_task",
        r"(?m)^(packed|head alone|from nothing) +([\d.]+) % error",
    )
    return Truth(dict(sorted(found.items(), key=lambda error: error[1])))


def memory() -> dict[str, float]:
    """Gigabytes: of PackNet's step, of a large test, of a T4."""
    step = r" packnet: weights [^;]*?in all (\d+\.\d+)"
    test = r"a test with 250 pictures: +([\d.]+) GB"
    card = r"memory, GB +(\d+)"
    return {
        name: number(found_in(SCALE, line)[1])
        for name, line in (("step", step), ("test", test), ("card", card))
    }


@answer
def fits() -> Truth:
    """Whether a step fits on a T4."""
    found = memory()
    words = ("yes, with room", "just so", "no")
    choice = compared(found["step"], 0.9 * found["card"],
                      0.1 * found["card"], words)  # fmt: skip
    return Truth(choice, found)


@answer
def step_or_test() -> Truth:
    """What takes more memory."""
    found = memory()
    step, test = ("a step of training with 32 pictures",
                  "a test with 250 pictures")  # fmt: skip
    return Truth(test if found["test"] > found["step"] else step, found)


@answer
def hours_for_three() -> Truth:
    """How long a T4 takes for all fine-grained tasks."""
    line = r"T4, (?:no|fp16): ([\d.]+) to ([\d.]+) hours"
    found_in(SCALE, line)
    ends = [
        number(end)
        for pair in re.findall(line, printed(SCALE))
        for end in pair
    ]
    middle = (min(ends) * max(ends)) ** 0.5
    words = ("minutes", "hours", "days")
    facts = {"low": f"{min(ends):g}", "high": f"{max(ends):g}"}
    return Truth(words[(middle > 1 / 2) + (middle > 36)], facts)


@answer
def sixteen_cards() -> Truth:
    """Sixteen cards in two machines, beside one card and eight."""
    row = r"(?m)times as fast *\n(?:.*\n)*?{} +(?:[\d.]+ +)*([\d.]+) *$"
    eight, sixteen = (
        number(found_in(SCALE, row.format(cards))[1])
        for cards in ("8 cards", "16 cards, network")
    )
    if not 1 < eight:
        raise NoTruth(f"{SCALE}: eight cards are no faster than one")
    words = ("slower than one card", "between one card and eight",
             "faster than eight in one machine")  # fmt: skip
    choice = words[(sixteen >= 1) + (sixteen > eight)]
    return Truth(choice, {"sixteen": sixteen, "eight": eight})
