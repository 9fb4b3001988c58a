"""Pages to look into a network with: HTML, no kernel, no network."""

from packnet_book.explorer.explorer import explore
from packnet_book.explorer.page import Page
from packnet_book.explorer.player import play

__all__ = ["Page", "explore", "play"]
