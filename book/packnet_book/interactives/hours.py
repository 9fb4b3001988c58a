"""What a run takes on a card, in hours and money, from the planner's counts.

The page does the arithmetic of `packnet_book.runs.planner.hours`. What is
reached of a card's stated rate, and what an hour costs, are assumptions,
and the reader's to move.
"""

from collections.abc import Mapping, Sequence

import pandas

from packnet_book.explorer.page import Page
from packnet_book.figures.system import METHODS
from packnet_book.interactives.page import page
from packnet_book.runs.planner import Device

NAMES = {"no": "float32"}  # of a precision


def spend(
    costs: Mapping[str, pandas.DataFrame],
    devices: Sequence[Device],
    prices: Mapping[str, float],
    share: int = 40,
    title: str = "Hours and money",
) -> Page:
    """A page on which card, price and method are chosen.

    costs: by method its `cost_table`; devices: the cards; prices: dollars
    an hour at first, by the card's name; share: percent of the stated
    rate that is reached at first. Raises KeyError for a card without a
    price.
    """
    data = {
        "methods": {
            name: [
                [_name(stage), _operations(stage), float(stage["moved"])]
                for stage in cost.to_dict("records")
                if _operations(stage)
            ]
            for name, cost in costs.items()
        },
        "ways": [
            {
                "name": f"{device.name}, {NAMES.get(precision, precision)}",
                "rate": rate,
                "bandwidth": device.bandwidth,
                "price": prices[device.name],
            }
            for device in devices
            for precision, rate in device.rates.items()
        ],
        "share": share,
    }  # fmt: skip
    cards = ", ".join(device.name for device in devices)
    return page(
        "hours",
        title,
        f"Hours and dollars of {', '.join(costs)} on {cards}, to be "
        "computed by moving what is assumed.",
        data,
        height=760,
        looks=[METHODS[0]],
    )


def _name(stage: dict) -> str:
    """What is done with which task; what comes trained is only tested."""
    comes_trained = stage["title"] == "train" and not stage["train"]
    return f"{'test' if comes_trained else stage['title']} {stage['task']}"


def _operations(stage: dict) -> float:
    """Floating-point operations of a stage, with its tests."""
    return float(stage["train"] + stage["test"])
