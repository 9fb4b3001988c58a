"""Answers that records of variants give: orders, sizes, photographs."""

from itertools import combinations

from pandas import DataFrame

from evidence import Truth, answer, compared, listed
from packnet_book.runs.metrics import prices
from packnet_book.runs.records import recorded
from packnet_book.runs.statistics import mean_interval, paired_interval
from recorded_truths import (
    ADDED,
    ERROR,
    FEWER,
    FIRST,
    MORE,
    OPEN,
    change,
    decided,
    runs,
    signed,
)


def places() -> tuple[DataFrame, DataFrame]:
    """Costs in the six orders: draws by places, and draws by tasks."""
    added = prices(recorded("orders")).query("position > 1")
    place, task = (
        added.pivot(index="seed", columns=column, values="price")
        for column in ("position", "task")
    )
    return place.rename(columns="place {}".format), task


@answer
def dearest_place() -> Truth:
    cost = places()[0].mean()
    names = ("second place", "third place", "fourth place")
    return Truth(names[int(cost.argmax())], {"list": listed(cost, "+")})


@answer
def task_or_place() -> Truth:
    place, task = (side.mean().max() - side.mean().min() for side in places())
    facts = {"place": f"{place:.1f}", "task": f"{task:.1f}"}
    return Truth("its place" if place > task else "the task", facts)


@answer
def zero_left_out() -> Truth:
    """Of which differences the interval has no zero."""
    said, clear = [], []
    for side in places():
        found = {
            f"{two} minus {one}": mean_interval(side[two] - side[one])
            for one, two in combinations(side, 2)
        }
        said.append(", ".join(f"{n} {signed(i)}" for n, i in found.items()))
        clear.append(any(decided(i) != OPEN for i in found.values()))
    names = {
        (True, False): "differences between places only",
        (False, True): "differences between tasks only",
        (True, True): "differences between places and between tasks",
        (False, False): "none of them",
    }
    facts = {"places": said[0], "tasks": said[1]}
    return Truth(names[clear[0], clear[1]], facts)


@answer
def worse(one: str, other: str, task: str) -> Truth:
    """Which of two ways to free weights costs a task more."""
    cost = {
        words: change(f"steps/{variant}", "steps/packnet", task)[0]
        for variant, words in (
            (one, "freed at random"),
            (other, "one cutoff for all"),
        )
    }
    facts = dict(zip(("one", "other"), map(signed, cost.values())))
    return Truth(max(cost, key=lambda words: cost[words].mean), facts)


@answer
def last_of_ten() -> Truth:
    """PackNet's error on the last of ten tasks."""
    table = recorded("capacity")
    last = table[table.position == table.position.max()]
    mean = last.groupby("method")[ERROR].mean()
    facts = {"alone": f"{mean['individual']:.1f}"}
    return Truth(mean["packnet"], facts | {"draws": last.seed.nunique()})


@answer
def owned(position: int) -> Truth:
    """What one of ten tasks owns, beside what halving gives."""
    table = recorded("capacity").query("method == 'packnet'")
    own = table[table.position == position].owned.astype(float)
    formula = 100 * 0.5**position
    words = (
        "less than the formula says",
        "what the formula says, to within a tenth",
        "more",
    )
    facts = {"owned": own.mean(), "formula": formula, "draws": len(own)}
    return Truth(compared(own.mean(), formula, formula / 10, words), facts)


@answer
def narrower() -> Truth:
    """What packing costs in the narrowest network and in the widest."""
    table = recorded("widths")
    added = table[table.task.isin(ADDED)].pivot_table(
        index="seed", columns=["method", "width"], values=ERROR
    )
    cost = added["packnet"] - added["individual"]
    ends = cost.columns.min(), cost.columns.max()
    found = paired_interval(*(cost[width] for width in ends))
    words = {
        MORE: "more than in the widest",
        FEWER: "less than in the widest",
    }
    verdict = decided(found)
    return Truth(words.get(verdict, verdict), {"interval": signed(found)})


def photographs(method: str) -> DataFrame:
    """Errors on photographs, draws by: first task, mean of the added."""
    table = recorded("photos")
    first = table[table.position == 1].task.iloc[0]
    found = table[table.method == method].pivot_table(
        index="seed", columns="task", values=ERROR
    )
    added = found.drop(columns=first).mean(axis=1)
    return DataFrame({"first": found[first], "added": added})


@answer
def best_rate() -> Truth:
    """PackNet's learning rate on photographs, beside the other."""
    table = recorded("photos_tuning")
    mean = table.groupby(["method", "rate"])[ERROR].mean()
    rate = {name: mean[name].idxmin() for name in ("packnet", "individual")}
    words = ("smaller", "the same", "larger")
    return Truth(compared(*rate.values(), 0, words), rate)


@answer
def first_task_pays() -> Truth:
    """What packing costs the first task, in photographs and drawings."""
    photos = photographs("packnet") - photographs("individual")
    drawings = runs("miniature/packnet") - runs("miniature/individual")
    here, there = photos["first"].mean(), drawings[FIRST].mean()
    words = ("less", "about the same, to within a point", "more")
    facts = {"photos": f"{here:+.1f}", "drawings": f"{there:+.1f}"}
    return Truth(compared(here, there, 1, words), facts)


@answer
def head_behind() -> Truth:
    """How far a new head is behind PackNet, there and there."""
    photos = photographs("classifier-only") - photographs("packnet")
    drawings = runs("miniature/classifier-only") - runs("miniature/packnet")
    here, there = photos["added"].mean(), drawings["added"].mean()
    words = ("less far", "about as far, to within 5 points", "farther")
    facts = {"photos": f"{here:+.1f}", "drawings": f"{there:+.1f}"}
    return Truth(compared(here, there, 5, words), facts)


def inherited() -> tuple[DataFrame, int]:
    """Errors of the last task, trunks by what is trained; draws."""
    table = recorded("photos_inherited")
    mean = table.pivot_table(ERROR, "trunk", "trained", sort=False)
    return mean, table.seed.nunique()


@answer
def later_trunks() -> Truth:
    """What a new head alone makes of later and later trunks."""
    mean, draws = inherited()
    first, *_, last = mean["head"].dropna()
    words = ("falls", "stays about the same", "rises")
    facts = {"first": f"{first:.1f}", "last": f"{last:.1f}", "draws": draws}
    return Truth(compared(last, first, 2, words), facts)


@answer
def second_place() -> Truth:
    """Flowers in second place, beside flowers in fourth."""
    second, *_, fourth = inherited()[0]["free weights"].dropna()
    words = ("lower", "about the same, to within a point", "higher")
    facts = {"second": f"{second:.1f}", "fourth": f"{fourth:.1f}"}
    return Truth(compared(second, fourth, 1, words), facts)
