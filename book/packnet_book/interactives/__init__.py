"""Pages on which a reader moves one thing and sees what follows.

Each is a function that returns a `Page`: HTML that stands alone, the same
in the book, in Jupyter and in Colab, without a kernel.
"""

from packnet_book.interactives.cutoff import drag_cutoff
from packnet_book.interactives.hours import spend
from packnet_book.interactives.names import take_name_away
from packnet_book.interactives.shares import share_out

__all__ = ["drag_cutoff", "share_out", "spend", "take_name_away"]
