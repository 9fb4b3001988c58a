"""Figures, each one function that returns a `Drawing`; and tables."""

from packnet_book.figures.ablations import (
    draw_capacity,
    draw_changes,
    draw_trends,
)
from packnet_book.figures.charts import (
    draw_crops,
    draw_errors,
    draw_lines,
    draw_prepared,
    draw_sheet,
)
from packnet_book.figures.comparison import (
    draw_course,
    draw_draws,
    draw_intervals,
    draw_matrices,
)
from packnet_book.figures.costs import draw_parts, draw_ranges, draw_rates
from packnet_book.figures.drawing import Drawing
from packnet_book.figures.filters import draw_filters, draw_pictures
from packnet_book.figures.magnitudes import draw_layers, draw_magnitudes
from packnet_book.figures.owners import (
    draw_first_layer,
    draw_growth,
    draw_mosaic,
    draw_reuse,
    draw_sizes,
)
from packnet_book.figures.shares import draw_shares
from packnet_book.figures.tables import Table, table

__all__ = [
    "Drawing",
    "Table",
    "draw_capacity",
    "draw_changes",
    "draw_course",
    "draw_crops",
    "draw_draws",
    "draw_errors",
    "draw_filters",
    "draw_first_layer",
    "draw_growth",
    "draw_intervals",
    "draw_layers",
    "draw_lines",
    "draw_magnitudes",
    "draw_matrices",
    "draw_mosaic",
    "draw_parts",
    "draw_pictures",
    "draw_prepared",
    "draw_ranges",
    "draw_rates",
    "draw_reuse",
    "draw_shares",
    "draw_sheet",
    "draw_sizes",
    "draw_trends",
    "table",
]
