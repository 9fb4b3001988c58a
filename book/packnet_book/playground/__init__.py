"""The playground: PackNet on a network that is seen whole, in a browser."""

from packnet_book.playground.page import playground
from packnet_book.playground.restore import restore

__all__ = ["playground", "restore"]
