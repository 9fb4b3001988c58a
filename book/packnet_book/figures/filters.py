"""Small filters, weight by weight, and small pictures."""

from collections import Counter
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from torch import Tensor

from packnet_book.figures import system
from packnet_book.figures.drawing import STYLE, Drawing
from packnet_book.figures.system import BLANK, EDGE, ON, QUIET

ROMAN = ("free", "I", "II", "III", "IV", "V")

Stage = tuple[str, Tensor, Tensor]


def draw_filters(
    stages: Sequence[Stage], columns: int = 4, *, caption: str = ""
) -> Drawing:
    """One filter at several stages: its values, and who owns them.

    stages: (title, weight, owner), weight float (rows, columns), owner
    of the same shape with whole numbers up to 5; columns: panels a row.
    """
    columns = min(columns, len(stages))
    rows = -(-len(stages) // columns)
    with rc_context(STYLE):
        owners = {int(o) for _, _, owner in stages for o in owner.unique()}
        keys = [_key(owner) for owner in sorted(owners, key=_free_last)]
        wide = 2 * columns - 1  # so many keys fit side by side
        height = 2.0 * rows + 0.25 * -(-len(keys) // wide) + 0.1
        figure = Figure(figsize=(1.75 * columns, height))
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes in panels:
            axes.axis("off")
        for axes, (title, weight, owner) in zip(panels, stages):
            axes.set_title(title)
            _draw_weights(axes, weight, owner)
        figure.legend(handles=keys, loc="outside lower center", ncols=wide)
    size = " by ".join(map(str, stages[0][1].shape))
    what = f"{len(stages)} stages of one" if len(stages) > 1 else "One"
    told = [_tell(*stage, rows=len(stages) < 3) for stage in stages]
    return Drawing(figure, f"{what} {size} filter. {' '.join(told)}", caption)


def draw_pictures(
    images: Tensor,
    titles: Sequence[str],
    columns: int = 6,
    *,
    caption: str = "",
) -> Drawing:
    """Small black-and-white pictures, each with a title.

    images: (B, rows, columns), 1 where a pixel is lit and 0 elsewhere;
    titles: B strings; columns: pictures a row.
    """
    columns = min(columns, len(titles))
    rows = -(-len(titles) // columns)
    with rc_context(STYLE):
        figure = Figure(figsize=(1.25 * columns, 1.5 * rows))
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes in panels:
            axes.axis("off")
        for axes, image, title in zip(panels, images, titles):
            axes.set_title(title)
            for place in _places(axes, image):
                lit = bool(image[place])
                _square(axes, place, ON if lit else BLANK)
    told = []
    for image, title in zip(images, titles):
        lines = ["".join(".#"[int(lit)] for lit in line) for line in image]
        told.append(f"{title}: {'/'.join(lines)}")
    size = " by ".join(map(str, images.shape[1:]))
    return Drawing(
        figure,
        f"{len(titles)} pictures of {size} pixels, row by row, with # for "
        f"lit. {', '.join(told)}.",
        caption,
    )


def _draw_weights(axes: Axes, weight: Tensor, owner: Tensor) -> None:
    for place in _places(axes, weight):
        task = int(owner[place])
        row, column = place
        _square(axes, place, system.owner(task).fill)
        axes.text(
            column - 0.02,
            row - 0.06,
            _number(weight, place),
            ha="center",
            va="center",
            color=ON if task else QUIET.light,
            fontsize=11 if _whole(weight) else 9,
        )
        if task:
            axes.text(
                column + 0.45,
                row + 0.45,
                ROMAN[task],
                ha="right",
                va="bottom",
                fontsize=7.5,
                color=ON,
            )


def _places(axes: Axes, values: Tensor) -> list[tuple[int, int]]:
    """All (row, column) of a grid, with the axes made to fit it."""
    rows, columns = values.shape
    axes.set(xlim=(-0.55, columns - 0.45), aspect="equal")
    axes.set(ylim=(rows - 0.45, -0.55))
    return [(row, column) for row in range(rows) for column in range(columns)]


def _square(axes: Axes, place: tuple[int, int], colour: str) -> None:
    corner = (place[1] - 0.5, place[0] - 0.5)
    axes.add_patch(
        Rectangle(corner, 1, 1, fc=colour, ec=EDGE, lw=0.6, clip_on=False)
    )


def _key(owner: int) -> Patch:
    label = f"task {ROMAN[owner]}" if owner else "free, held at 0"
    return Patch(
        facecolor=system.owner(owner).fill, edgecolor=EDGE, label=label
    )


def _free_last(owner: int) -> int:
    return owner or len(ROMAN)


def _whole(weight: Tensor) -> bool:
    return bool((weight == weight.round()).all())


def _number(weight: Tensor, place: tuple[int, int]) -> str:
    """A weight as it is shown: whole if all are, else to one decimal."""
    value = round(float(weight[place]), 1) + 0.0  # no minus before zero
    text = f"{value:.0f}" if _whole(weight) else f"{value:.1f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _tell(title: str, weight: Tensor, owner: Tensor, rows: bool) -> str:
    """One stage in words; row by row only if `rows`."""
    counts = Counter(owner.flatten().tolist())
    shares = [
        f"{counts[task]} of task {ROMAN[task]}" if task
        else f"{counts[task]} free and zero"
        for task in sorted(counts, key=_free_last)
    ]  # fmt: skip
    text = f"{title}: {', '.join(shares)}"
    if rows:
        lines = [
            ", ".join(
                _number(weight, (row, column))
                + (f" {ROMAN[task]}" if task else "")
                for column, task in enumerate(owner[row].tolist())
            )
            for row in range(len(weight))
        ]
        text = f"{text}; row by row {' / '.join(lines)}"
    return text + "."
