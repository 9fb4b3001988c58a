"""PackNet: several tasks in one network, by iterative pruning."""

import warnings

# Without ipywidgets the progress bars are text, which is as good.
warnings.filterwarnings("ignore", message="IProgress not found")

from packnet_core.files import load  # noqa: E402
from packnet_core.network import PackNet  # noqa: E402

__all__ = ["PackNet", "load"]
__version__ = "0.1.0"
