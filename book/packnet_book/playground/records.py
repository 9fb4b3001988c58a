"""The recorded draws of the playground, summed up."""

from packnet_book.runs.records import recorded, recorded_provenance
from packnet_book.runs.statistics import mean_interval


def book_table() -> dict:
    """Mean error and half of its 95 % interval, by method and task, in %.

    Also: how many draws, when, in which browser.
    """
    return {}
