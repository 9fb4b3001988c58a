"""PackNet: several tasks in one network, by iterative pruning."""

from packnet_core.files import load
from packnet_core.network import PackNet

__all__ = ["PackNet", "load"]
__version__ = "0.1.0"
