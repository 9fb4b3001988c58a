"""Figures of pictures and of errors, each with the text that stands in.

The same rules as in `figures`: data in, a `Drawing` out, white background.
Measured numbers differ a little between processors, so they stay out of
the alternative texts: those name what is drawn, and the caller adds the
shape that it has checked.
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
from packnet_book.figures.drawing import (
    COLOURS,
    DASHES,
    GREY,
    MARKERS,
    STYLE,
    Drawing,
    plain,
)
from packnet_book.photos.listing import Box

DPI = 144  # what `Drawing` saves with
ZOOM = 3  # dots a pixel, each way, in a contact sheet
GAP, LINES = 12, 52  # dots between two pictures, and for a name


def draw_sheet(
    images: Tensor, names: Sequence[str], what: str, columns: int = 6
) -> Drawing:
    """A contact sheet: colour pictures, each with its name.

    images: uint8 (N, 3, S, S); names: N strings; what: what the pictures
    are, for the alternative text; columns: pictures a row.
    """
    rows = -(-len(names) // columns)
    side = images.shape[-1] * ZOOM
    wide, high = side + GAP, side + GAP + LINES
    with rc_context(STYLE | {"figure.constrained_layout.use": False}):
        inches = (wide * columns / DPI, high * rows / DPI)
        figure = Figure(figsize=inches)
        for number, (image, name) in enumerate(zip(images, names)):
            row, column = divmod(number, columns)
            left = column * wide + GAP / 2
            top = row * high + LINES
            axes = figure.add_axes(
                (
                    left / (wide * columns),
                    1 - (top + side) / (high * rows),
                    side / (wide * columns),
                    side / (high * rows),
                )
            )
            _show(axes, image.permute(1, 2, 0).numpy())
            axes.set_title(name.replace(" ", "\n"), fontsize=9, pad=3)
    return Drawing(figure, f"{what}: {', '.join(names)}.")


def draw_crops(scenes: Sequence[tuple[str, Scene]], size: int) -> Drawing:
    """What becomes of a scene: its box, the content, the square.

    scenes: (name, scene with a box); size: side of the square.
    """
    titles = ("scene and box", "content of the box", "what the network sees")
    with rc_context(STYLE):
        figure = Figure(figsize=(5, 1.6 * len(scenes)))
        panels = figure.subplots(len(scenes), 3, squeeze=False)
        for row, (_, scene) in zip(panels, scenes):
            if scene.box is None:
                raise ValueError("a scene without a box: draw birds or cars")
            x, y, width, height = scene.box
            inside = scene.image[y : y + height, x : x + width]
            square = crop(scene, size).transpose(1, 2, 0)
            for axes, image in zip(row, (scene.image, inside, square)):
                _show(axes, image)
                axes.set(xlim=(-0.5, scene.image.shape[1] - 0.5))
                axes.set(ylim=(scene.image.shape[0] - 0.5, -0.5))
            for colour, thick in (("black", 3), ("white", 1.2)):
                row[0].add_patch(
                    Rectangle(
                        (x - 0.5, y - 0.5), width, height,
                        fill=False, ec=colour, lw=thick,
                    )
                )  # fmt: skip
        for axes, title in zip(panels[0], titles):
            axes.set_title(title)
    told = [
        f"{name}: a scene of {scene.image.shape[1]} by "
        f"{scene.image.shape[0]} pixels with a box of {scene.box[2]} by "
        f"{scene.box[3]} around it, the content of the box, and the same "
        f"stretched to {size} by {size}."
        for name, scene in scenes
        if scene.box is not None
    ]
    return Drawing(figure, " ".join(told))


def draw_prepared(
    pictures: Sequence[tuple[str, np.ndarray]], box: Box | None = None
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
            axes.set_title(f"{name}\n{wide} × {high}", fontsize=8)
        if box is not None:
            left, top, right, bottom = box
            for colour, thick in (("black", 3), ("white", 1.2)):
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
    return Drawing(figure, f"Side by side: {told}.{framed}")


def draw_errors(errors: pandas.DataFrame, shape: str) -> Drawing:
    """A table of errors, darker where larger; empty where not a number.

    errors: in percent, a row for each stage, a column for each task, both
    in the order of training; shape: what is to be seen, without numbers.
    """
    values = errors.to_numpy(dtype=float)  # (stages, tasks)
    with rc_context(STYLE):
        figure = Figure(figsize=(6, 0.62 * len(errors) + 0.5))
        axes = figure.subplots()
        axes.set(xlim=(0, values.shape[1]), ylim=(len(errors), 0))
        for (row, column), value in np.ndenumerate(values):
            if np.isnan(value):
                continue
            grey = 1 - 0.75 * value / 100
            newest = row == column
            axes.add_patch(
                Rectangle(
                    (column + 0.03, row + 0.05), 0.94, 0.9,
                    fc=(grey,) * 3, ec="black", lw=2 if newest else 0,
                )
            )  # fmt: skip
            axes.text(
                column + 0.5, row + 0.5, f"{value:.1f}",
                ha="center", va="center", fontsize=12,
                color="black" if grey > 0.5 else "white",
                fontweight="bold" if newest else "normal",
            )  # fmt: skip
        places = np.arange(values.shape[1]) + 0.5
        axes.set_xticks(places, [str(name) for name in errors.columns])
        stages = np.arange(len(errors)) + 0.5
        axes.set_yticks(stages, [f"after {name}" for name in errors.index])
        axes.tick_params(length=0, top=False, labeltop=True)
        axes.tick_params(bottom=False, labelbottom=False)
        for side in axes.spines.values():
            side.set_visible(False)
    return Drawing(
        figure,
        f"Table of errors in percent, darker where larger. Columns, one a "
        f"task: {', '.join(errors.columns)}. Rows: after learning "
        f"{', after '.join(errors.index)}. The newest task of each row is "
        f"framed, tasks not yet learnt are left empty. {shape}",
    )


def draw_lines(
    lines: pandas.DataFrame,
    shape: str,
    *,
    chance: float | None = None,
) -> Drawing:
    """Errors in percent along the training, each line with its name.

    lines: a column for each line, at most four; the index, with its
    name, is the axis of x: words, or numbers; chance: the error of
    guessing, as a thin line; shape: what is to be seen, without numbers.
    """
    words = not pandas.api.types.is_numeric_dtype(lines.index)
    x = np.arange(len(lines)) if words else lines.index.to_numpy()
    with rc_context(STYLE):
        figure = Figure(figsize=(6, 3.2), layout="constrained")
        axes = figure.subplots()
        values = lines.to_numpy(dtype=float)  # (points, lines)
        for number in range(values.shape[1]):
            axes.plot(
                x, values[:, number], color=COLOURS[number],
                marker=MARKERS[number], linestyle=DASHES[number],
                linewidth=1.8, label=str(lines.columns[number]),
            )  # fmt: skip
        figure.legend(
            loc="outside upper center", ncols=2 if words else 4,
            frameon=False, handlelength=3, columnspacing=1.2,
        )  # fmt: skip
        if chance is not None:
            axes.axhline(chance, color=GREY, linewidth=1, linestyle=":")
            axes.text(x[0], chance + 1, "guessing", color=GREY)
        axes.set(ylim=(0, 105), ylabel="top-1 error, in percent")
        axes.set_xlabel(str(lines.index.name))
        if words:
            axes.set_xticks(x, [str(word) for word in lines.index])
        plain(axes, "y")
    return Drawing(
        figure,
        f"Line chart of the top-1 error in percent, from 0 to 100, over "
        f"{lines.index.name}. Lines: {', '.join(map(str, lines.columns))}. "
        f"{shape}",
    )


def _show(axes: Axes, image: np.ndarray) -> None:
    """A picture (rows, columns, 3) with crisp pixels and no frame."""
    axes.imshow(image, interpolation="nearest")
    axes.axis("off")
