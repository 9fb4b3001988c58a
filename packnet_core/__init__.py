"""PackNet: several tasks in one network, by iterative pruning."""

import warnings

# Without ipywidgets the progress bars are text, which is as good.
warnings.filterwarnings("ignore", message="IProgress not found")
# Of 1 x 1 convolutions in several processes: "not an error", torch says.
warnings.filterwarnings("ignore", message="Grad strides do not match")

from packnet_core.errors import PackNetError  # noqa: E402
from packnet_core.evaluation import evaluate  # noqa: E402
from packnet_core.images import Pictures  # noqa: E402
from packnet_core.network import PackNet, load  # noqa: E402
from packnet_core.training import Phase, fit  # noqa: E402

__all__ = ["PackNet", "PackNetError", "Phase", "Pictures"]
__all__ += ["evaluate", "fit", "load"]
__version__ = "0.2.0"
