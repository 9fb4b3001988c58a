"""Looking at VGG-16 as an earlier task, against copying and not looking."""

import torch

from benchmarks.ratios import Ratio, compare
from packnet_core import PackNet
from packnet_core.trunks import Architecture, build


@torch.no_grad()
def run() -> tuple[Ratio, Ratio]:
    """Time of entering a view over that of copying all shared weights,
    and of a forward pass (8 pictures) in a view over one outside."""
    torch.manual_seed(0)
    trunk = build(Architecture("vgg16"))
    network = PackNet(trunk, trunk.out_features).eval()
    network.add_task("first", 10)
    network.prune(0.5)
    network.add_task("second", 10)
    images = torch.randn(8, 3, 224, 224)

    def enter() -> None:
        with network.view("first"):
            pass

    def copy() -> None:
        copies = [weight.clone() for weight in network.layers.values()]
        del copies

    entering = compare(enter, copy, pairs=9)
    with network.view("first") as seen:

        def outside() -> None:
            network.trunk(images)

        def within() -> None:
            seen.features(images)

        return entering, compare(within, outside, pairs=9)
