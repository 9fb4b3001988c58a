"""The playground as a page for notebooks, files and the book."""

from packnet_book.explorer.page import Page
from packnet_book.playground.bundle import bundle, read
from packnet_book.playground.records import book_table

TITLE = "Playground: a network that learns task after task"


def playground(reduced: bool = False) -> Page:
    """A page on which a network of 168 weights is trained by hand.

    It needs no kernel and no network: show it in a notebook, on Colab, or
    write it to a file. reduced: panels, network and the buttons to play,
    and nothing else.
    """
    data = {"table": book_table(), "restore": read("restore.py")}
    return Page(
        bundle(TITLE, data, reduced),
        TITLE,
        "A playground: four tasks in the plane, learnt one after the other "
        "by one network of 168 weights, with PackNet or without.",
        height=900,
    )
