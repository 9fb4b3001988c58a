"""Pages to look into a network with: HTML, no kernel, no network."""

from packnet_core.widgets.explorer import explore
from packnet_core.widgets.page import Page
from packnet_core.widgets.player import play

__all__ = ["Page", "explore", "play"]
