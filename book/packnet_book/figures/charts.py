"""Figures of pictures and of errors, each with the text that stands in.

The same rules as in `figures`: data in, a `Drawing` out. Measured numbers
differ a little between processors, so they stay out of the alternative
texts: those name what is drawn, and the caller adds the shape that it has
checked.
"""

from collections.abc import Sequence

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from packnet_book.drawn import Scene, crop
from packnet_book.figures import system
from packnet_book.figures.drawing import (
    NARROW,
    STYLE,
    Drawing,
    label_ends,
    plain,
)
from packnet_book.figures.system import BLANK, INK, ON, QUIET
from packnet_book.photos.listing import Box

LINE = 15  # points of a line of letters above a picture


def draw_sheet(
    images: Tensor,
    names: Sequence[str],
    what: str,
    columns: int = 6,
    *,
    caption: str = "",
) -> Drawing:
    """A contact sheet: colour pictures, each with its name.

    images: uint8 (N, 3, S, S); names: N strings; what: what the pictures
    are, for the alternative text; columns: pictures a row.
    """
    rows, lines = -(-len(names) // columns), 2
    side = 62  # points of a picture
    gap = 8
    wide, high = side + gap, side + lines * LINE + 4
    with rc_context(STYLE | {"figure.constrained_layout.use": False}):
        figure = Figure(figsize=(wide * columns / 72, high * rows / 72))
        for number, (image, name) in enumerate(zip(images, names)):
            row, column = divmod(number, columns)
            top = row * high + lines * LINE
            axes = figure.add_axes(
                (
                    (column * wide + gap / 2) / (wide * columns),
                    1 - (top + side) / (high * rows),
                    side / (wide * columns),
                    side / (high * rows),
                )
            )
            _show(axes, image.permute(1, 2, 0).numpy())
            axes.set_title(name.replace(" ", "\n"), fontsize=10, pad=3)
    return Drawing(figure, f"{what}: {', '.join(names)}.", caption)


def draw_crops(
    scenes: Sequence[tuple[str, Scene]], size: int, *, caption: str = ""
) -> Drawing:
    """What becomes of a scene: its box, the content, the square.

    scenes: (name, scene with a box); size: side of the square. All three
    at the same scale, with their sides in pixels.
    """
    for _, scene in scenes:
        if scene.box is None:
            raise ValueError("a scene without a box: draw birds or cars")
    shown = [(n, s, s.box) for n, s in scenes if s.box is not None]
    wide = max(s.image.shape[1] + box[2] + size for _, s, box in shown)
    with rc_context(STYLE | {"figure.constrained_layout.use": False}):
        unit = (NARROW * 72 - 44) / wide  # points a pixel
        rows = [
            unit * max(s.image.shape[0], box[3], size) for _, s, box in shown
        ]
        high = sum(rows) + len(rows) * 34 + 14
        figure = Figure(figsize=(NARROW, high / 72))
        top = 14.0
        figure.text(
            0.005, 1 - 1 / high, "scene and box", va="top", ha="left",
            fontweight="bold",
        )  # fmt: skip
        for (_, scene, (x, y, width, height)), row in zip(shown, rows):
            inside = scene.image[y : y + height, x : x + width]
            square = crop(scene, size).transpose(1, 2, 0)
            left = 2.0
            for place, image in enumerate((scene.image, inside, square)):
                w, h = unit * image.shape[1], unit * image.shape[0]
                axes = figure.add_axes(
                    (
                        left / (NARROW * 72),
                        1 - (top + 17 + (row + h) / 2) / high,
                        w / (NARROW * 72),
                        h / high,
                    )
                )
                _show(axes, image)
                axes.set_title(
                    f"{image.shape[1]} × {image.shape[0]}", pad=3,
                )  # fmt: skip
                if not place:
                    for colour, thick in ((ON, 3), (BLANK, 1.2)):
                        axes.add_patch(
                            Rectangle(
                                (x - 0.5, y - 0.5), width, height,
                                fill=False, ec=colour, lw=thick,
                            )
                        )  # fmt: skip
                left += w
                if place < 2:
                    figure.text(
                        (left + 10) / (NARROW * 72),
                        1 - (top + 17 + row / 2) / high,
                        "→", ha="center", va="center", fontsize=13,
                    )  # fmt: skip
                left += 20
                if place == 1 and top == 14:
                    figure.text(
                        (left + unit * size / 2) / (NARROW * 72),
                        1 - 1 / high, "the network's input", va="top",
                        ha="center", fontweight="bold",
                    )  # fmt: skip
            top += row + 34
    told = [
        f"{name}: a scene of {scene.image.shape[1]} by "
        f"{scene.image.shape[0]} pixels with a box of {box[2]} by "
        f"{box[3]} around it, the content of the box, and the same "
        f"stretched to {size} by {size}."
        for name, scene, box in shown
    ]
    return Drawing(figure, " ".join(told), caption)


def draw_prepared(
    pictures: Sequence[tuple[str, np.ndarray]],
    box: Box | None = None,
    *,
    caption: str = "",
) -> Drawing:
    """What becomes of a photograph, step by step, side by side.

    pictures: (name, bytes (rows, columns, 3)), drawn equally high; box:
    edges (left, top, right, bottom), to be drawn into the first of them.
    """
    ratios = [image.shape[1] / image.shape[0] for _, image in pictures]
    with rc_context(STYLE):
        figure = Figure(figsize=(7, 6.6 / sum(ratios) + 0.4))
        panels = figure.subplots(
            1, len(ratios), width_ratios=ratios, squeeze=False
        )[0]  # fmt: skip
        for axes, (name, image) in zip(panels, pictures):
            axes.imshow(image)
            axes.axis("off")
            high, wide = image.shape[:2]
            axes.set_title(f"{name}\n{wide} × {high}", fontsize=10)
        if box is not None:
            left, top, right, bottom = box
            for colour, thick in ((ON, 3), (BLANK, 1.2)):
                panels[0].add_patch(
                    Rectangle(
                        (left - 0.5, top - 0.5), right - left, bottom - top,
                        fill=False, ec=colour, lw=thick,
                    )
                )  # fmt: skip
    told = "; ".join(
        f"{name}, {image.shape[1]} by {image.shape[0]} pixels"
        for name, image in pictures
    )
    framed = (
        "" if box is None else f" In the first a box has the edges {box}."
    )
    return Drawing(figure, f"Side by side: {told}.{framed}", caption)


def draw_errors(
    errors: pandas.DataFrame, shape: str, *, caption: str = ""
) -> Drawing:
    """A table of errors, darker where larger; empty where not a number.

    errors: in percent, a row for each stage, a column for each task, both
    in the order of training; shape: what is to be seen, without numbers.
    """
    values = errors.to_numpy(dtype=float)  # (stages, tasks)
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 0.5 * len(errors) + 0.5))
        axes = figure.subplots()
        draw_square(axes, values, values / 100, "{:.1f}")
        places = np.arange(values.shape[1]) + 0.5
        axes.set_xticks(places, [str(name) for name in errors.columns])
        stages = np.arange(len(errors)) + 0.5
        axes.set_yticks(stages, [f"after {name}" for name in errors.index])
    return Drawing(
        figure,
        f"Table of errors in percent, darker where larger. Columns, one a "
        f"task: {', '.join(errors.columns)}. Rows: after learning "
        f"{', after '.join(errors.index)}. The newest task of each row is "
        f"framed, tasks not yet learnt are left empty. {shape}",
        caption,
    )


def draw_square(
    axes: Axes, values: np.ndarray, shares: np.ndarray, form: str
) -> None:
    """Squares with numbers, darker where the share is larger.

    A task's own stage, on the diagonal, is framed; what lies right of it
    is not learnt yet and in italics.
    """
    size = values.shape
    axes.set(xlim=(0, size[1]), ylim=(size[0], 0))
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        face, letters = system.shade(float(shares[row, column]))
        newest = row == column
        axes.add_patch(
            Rectangle(
                (column + 0.03, row + 0.05), 0.94, 0.9, fc=face,
                ec=INK.light, lw=2.2 if newest else 0,
            )
        )  # fmt: skip
        axes.text(
            column + 0.5, row + 0.5, form.format(value),
            ha="center", va="center", fontsize=11, color=letters,
            style="italic" if column > row else "normal",
            fontweight="bold" if newest else "normal",
        )  # fmt: skip
    axes.tick_params(length=0, top=False, labeltop=True)
    axes.tick_params(bottom=False, labelbottom=False)
    for side in axes.spines.values():
        side.set_visible(False)


def draw_lines(
    lines: pandas.DataFrame,
    shape: str,
    *,
    chance: float | None = None,
    caption: str = "",
) -> Drawing:
    """Errors in percent along the training, each line with its name.

    lines: a column for each line, at most four; the index, with its
    name, is the axis of x: words, or numbers; chance: the error at
    chance level, as a thin line; shape: what is to be seen, without numbers.
    """
    words = not pandas.api.types.is_numeric_dtype(lines.index)
    x = np.arange(len(lines)) if words else lines.index.to_numpy()
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 2.9))
        axes = figure.subplots()
        values = lines.to_numpy(dtype=float)  # (points, lines)
        ends = []
        for number, look in enumerate(system.looks(lines.columns)):
            name = str(lines.columns[number])
            axes.plot(
                x, values[:, number], color=look.colour,
                marker=look.marker, linestyle=look.dash,
                linewidth=2, markersize=5.5, label=name, clip_on=False,
            )  # fmt: skip
            ends.append((values[-1, number], _broken(name), look.colour))
        axes.set(ylim=(0, 105))
        if chance is not None:
            axes.axhline(chance, color=QUIET.light, lw=1, linestyle=":")
            axes.text(
                0.01, chance + 0.5, "chance level", color=QUIET.light,
                ha="left", va="bottom", transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        label_ends(axes, ends, 2.3 * 72)
        axes.set_title("top-1 error, in percent", loc="left")
        axes.set_xlabel(str(lines.index.name))
        if words:
            axes.set_xticks(x, [str(word) for word in lines.index])
            axes.set_xlim(-0.2, len(x) - 0.8)
        else:
            axes.set_xlim(x.min(), x.max())
        plain(axes, "y")
    return Drawing(
        figure,
        f"Line chart of the top-1 error in percent, from 0 to 100, over "
        f"{lines.index.name}. Lines: {', '.join(map(str, lines.columns))}. "
        f"{shape}",
        caption,
    )


def _broken(name: str) -> str:
    """A long name on two lines."""
    if len(name) <= 14 or " " not in name:
        return name
    middle = min(
        (place for place, letter in enumerate(name) if letter == " "),
        key=lambda place: abs(place - len(name) / 2),
    )
    return f"{name[:middle]}\n{name[middle + 1 :]}"


def _show(axes: Axes, image: np.ndarray) -> None:
    """A picture (rows, columns, 3) with crisp pixels and no frame."""
    axes.imshow(image, interpolation="none", aspect="auto")
    axes.axis("off")
