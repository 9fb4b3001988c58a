"""Answers to predictions that the recorded results give, or the presets."""

import math
from functools import cache

from pandas import DataFrame, Series

from evidence import NoTruth, Truth, answer, compared, listed
from packnet_book.runs.presets import MINIATURE, PAPER
from packnet_book.runs.records import recorded
from packnet_book.runs.statistics import Interval, paired_interval

TASKS = [task.name for task in MINIATURE.tasks]
FIRST, *ADDED = TASKS
MORE, FEWER = "more errors", "fewer errors"
OPEN = "open: these draws cannot tell"
ERROR = "top1_error"
HEADS = ("packnet", "classifier-only", "sequential", "lwf")


def runs(side: str) -> DataFrame:
    """Errors, draws by tasks, with the mean of the added ones as "added".

    side: study/method, or study/method/column.
    """
    study, method, *value = side.split("/")
    table = recorded(study)
    if "after" in table:  # the errors after every stage: take the last
        if method == "individual":  # the first task's own is common to all
            table = table.replace({"method": {"first": method}})
        keys = ["seed", "method", "task"]
        table = table.groupby(keys, as_index=False).last()
    found = table[table.method == method].pivot_table(
        index="seed", columns="task", values=value[0] if value else ERROR
    )
    added = [task for task in ADDED if task in found]
    return found.assign(added=found[added].mean(axis=1))


def change(left: str, right: str, task: str) -> tuple[Interval, Series]:
    """left minus right, with its interval, and draw by draw."""
    one, other = runs(left)[task], runs(right)[task]
    both = one.index.intersection(other.index)
    one, other = one[both], other[both]
    return paired_interval(one, other), one - other


def decided(found: Interval) -> str:
    return MORE if found.low > 0 else FEWER if found.high < 0 else OPEN


def signed(found: Interval) -> str:
    return format(found, "+.1f")


@answer
def verdict(left: str, right: str, task: str) -> Truth:
    """Whether left has more errors than right, by the interval."""
    found, each = change(left, right, task)
    facts = {"interval": signed(found), "draws": len(each)}
    return Truth(decided(found), facts)


@answer
def points(left: str, right: str, task: str) -> Truth:
    """left minus right in points, in the mean."""
    found, each = change(left, right, task)
    facts = {
        "interval": signed(found),
        "draws": len(each),
        "each": ", ".join(f"{value:+.1f}" for value in each),
        "zero": "outside" if found.low > 0 or found.high < 0 else "inside",
    }
    return Truth(found.mean, facts)


@answer
def pays_most() -> Truth:
    """The task with the largest cost of packing."""
    cost = runs("chapters/packnet") - runs("chapters/individual")
    mean = cost[TASKS].mean()
    return Truth(str(mean.idxmax()), {"list": listed(mean, "+")})


@answer
def merged_behind(other: str) -> Truth:
    """TIES minus individual networks, or minus PackNet: all four tasks."""
    found = {
        name: runs(side)[TASKS].mean(axis=1).mean()
        for name, side in (
            ("merged", "merged/TIES"),
            ("individual", "merged/individual"),
            ("PackNet", "chapters/packnet"),
        )
    }
    facts = {
        "merged": f"{found['merged']:.1f}",
        "value": f"{found[other]:.1f}",
        "draws": len(runs("merged/TIES")),
    }
    return Truth(found["merged"] - found[other], facts)


@answer
def order_of_methods(task: str) -> Truth:
    """Six methods by their mean error, the lowest first."""
    sides = {"joint": "joint/joint", "lwf": "lwf/lwf"}
    for name in ("individual", "classifier-only", "sequential", "packnet"):
        sides[name] = f"miniature/{name}"
    found = {name: runs(side)[task] for name, side in sides.items()}
    means = {name: each.mean() for name, each in found.items()}
    return Truth(
        dict(sorted(means.items(), key=lambda mean: mean[1])),
        {"draws": min(map(len, found.values()))},
    )


@answer
def who_loses() -> Truth:
    """Of the first task and the others, if 0.75 is freed at first."""
    sides = "higher/packnet", "miniature/packnet"
    first, added = (change(*sides, task)[0] for task in (FIRST, "added"))
    one, other = ("lose" if x.mean > 0 else "gain" for x in (first, added))
    said = f"{FIRST} {one}s, the added tasks {other}"
    if one == other:
        said = f"{FIRST} and the added tasks {one}"
    return Truth(said, {"first": signed(first), "added": signed(added)})


@answer
def nearest_to_individual(method: str) -> Truth:
    """The task on which a method is nearest to individual networks."""
    away = runs(f"miniature/{method}") - runs("miniature/individual")
    mean = away[TASKS].mean()
    return Truth(str(mean.abs().idxmin()), {"list": listed(mean, "+")})


@cache
def matrices() -> DataFrame:
    """Accuracies: draws by method, task learnt last, and task."""
    return recorded("matrices").pivot_table(
        index="seed", columns=["method", "after", "task"], values="accuracy"
    )


@answer
def highest_accuracy() -> Truth:
    at_the_end = matrices().mean().xs(TASKS[-1], level="after")
    means = at_the_end.groupby("method").mean()[list(HEADS)]
    return Truth(str(means.idxmax()), {"list": listed(means)})


@cache
def in_turn() -> DataFrame:
    """Errors in plain training: draws by task learnt last, and task."""
    table = recorded("chapters").query("method in ('first', 'sequential')")
    return table.pivot(
        index="seed", columns=["after", "task"], values="top1_error"
    )


@answer
def after(task: str, learnt: str) -> Truth:
    """Error on a task in plain training, after another was learnt."""
    found = in_turn()[learnt, task]
    return Truth(found.mean(), {"draws": len(found)})


@answer
def loses(task: str, other: str) -> Truth:
    """Which of two tasks loses more points in plain training."""
    table, last = in_turn(), TASKS[-1]
    one, two = (
        (table[last, name] - table[name, name]).mean()
        for name in (task, other)
    )
    words = (
        f"fewer than {other}",
        "about as many, to within 5 points",
        f"more than {other}",
    )
    facts = {"first": f"{one:.1f}", "second": f"{two:.1f}"}
    return Truth(compared(one, two, 5, words), facts | {"draws": len(table)})


@answer
def learns(task: str) -> Truth:
    """The last task in plain training, beside a network of its own."""
    last, alone = (
        in_turn()[TASKS[-1], task],
        runs("chapters/individual")[task],
    )
    words = (
        "better than by a network of their own",
        "about as well, to within 5 points",
        "much worse: the network is full",
    )
    facts = {"last": f"{last.mean():.1f}", "alone": f"{alone.mean():.1f}"}
    return Truth(
        compared(last.mean(), alone.mean(), 5, words),
        facts | {"draws": len(last)},
    )


@answer
def half_lost(method: str) -> Truth:
    """The first recorded step with half of the rise behind it."""
    table = recorded("switch")
    course = table.pivot_table(ERROR, "step", "method")[method]
    half = course.index[course >= (course.iloc[0] + course.max()) / 2][0]
    facts = {"steps": course.index[-1], "draws": table.seed.nunique()}
    return Truth(int(half), facts)


def bytes_of(network: str) -> DataFrame:
    """Bytes of its files: parts by methods."""
    table = recorded("sizes")
    return table[table.network == network].pivot_table(
        index="part", columns="method", values="bytes", aggfunc="sum"
    )


@answer
def packed_share(network: str) -> Truth:
    size = bytes_of(network).sum()
    return Truth(100 * size["packnet"] / size["individual"])


@answer
def part_of_file(part: str, network: str) -> Truth:
    size = bytes_of(network)["packnet"]
    facts = {"megabytes": f"{size.sum() / 1e6:.1f}"}
    return Truth(100 * size[part] / size.sum(), facts)


@answer
def room(points: float) -> Truth:
    """The largest recorded fraction that retraining makes up for."""
    table = recorded("pruning")
    mean = table.pivot_table(ERROR, "fraction", "stage")
    most = mean.trained.dropna().iloc[0] + points
    kept = mean.retrained[(mean.index > 0) & (mean.retrained <= most)]
    facts = {"draws": table.seed.nunique()}
    return Truth(f"{100 * kept.index.max():.0f} %", facts)


@answer
def free(after: int) -> Truth:
    """Percent of the weights that are free after so many tasks."""
    left = [100.0]
    for fraction in MINIATURE.fractions:
        left.append(left[-1] * fraction)
    told = ", ".join(f"{share:.1f}" for share in left[1:])
    return Truth(left[after], {"list": told})


@answer
def own_of_seen(task: int) -> Truth:
    """Percent of the weights that a task sees which are its own."""
    left, seen, own = 1.0, 0.0, 0.0
    for fraction in MINIATURE.fractions[:task]:
        own = left * (1 - fraction)
        seen, left = seen + own, left * fraction
    return Truth(100 * own / seen)


@answer
def new_task_owns(freed: float) -> Truth:
    """Percent of all weights, if the last task frees this fraction."""
    return Truth(100 * math.prod(MINIATURE.fractions) * freed)


@answer
def map_beats_masks() -> Truth:
    """From how many tasks on an owner map has fewer bits than masks."""
    tasks = 2
    while math.log2(tasks) >= tasks - 1:
        tasks += 1
    return Truth(tasks)


@answer
def schedules() -> Truth:
    """How the learning rate goes. Raises NoTruth if it goes otherwise."""
    told = {
        "paper": PAPER.add.schedule,
        "retrain": PAPER.retrain.schedule,
        "miniature": MINIATURE.add.schedule,
    }
    if list(told.values()) != ["step", "constant", "cosine"]:
        raise NoTruth(f"the schedules are now {told}")
    return Truth(
        "falls to zero in every stage of the miniature; in the paper it "
        "stays, or falls to a tenth once",
        told,
    )
