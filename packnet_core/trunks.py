"""Trunks: the shared layers without a head, each built from its name."""

from collections import OrderedDict
from dataclasses import dataclass

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from packnet_core.errors import BadTrunk

# De Lange et al. 2021, "small", with hidden layers of 128; "M" halves.
SMALL_VGG: list[str | int] = [64, "M", 64, "M", 64, 64, "M", 128, 128, "M"]


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build a trunk again. name: one of `NAMES`;
    width: factor on the number of channels and of hidden units (VGG only);
    size: side of the pictures, in pixels; dropout: share of the features
    that training leaves out (networks that have it only)."""

    name: str = "vgg16"
    width: float = 1.0
    size: int = 224
    dropout: float = 0.5


class Trunk(nn.Sequential):
    """Maps images (B, 3, size, size) to features (B, out_features)."""

    def __init__(
        self, architecture: Architecture, layers: OrderedDict, features: int
    ):
        super().__init__(layers)
        self.architecture, self.out_features = architecture, features

    def forward(self, images: Tensor) -> Tensor:
        # Channels last is up to a third faster, and the same for all.
        return super().forward(images.to(memory_format=torch.channels_last))


class Divide(nn.Module):
    """Features (B, F) by 32, see `vgg`."""

    def forward(self, features: Tensor) -> Tensor:
        return features / 32


def vgg(architecture: Architecture) -> Trunk:
    """A VGG in any size, with torchvision's parameter names.

    "vgg16": 13 convolutions and 2 hidden linear layers (Simonyan and
    Zisserman 2015, table 1, column D); `width=1, size=224` has
    torchvision's shapes too. "vgg16_features": the convolutions and the
    average over places. Their pretrained features are large (of length
    320 on average), so that a new head's first steps would wreck the
    network: divided by 32 here. "small_vgg": 6 convolutions, 4 halvings."""
    name = architecture.name
    plan, units = cfgs["D"], 4096
    side = 1 if name == "vgg16_features" else architecture.size // 32
    if name == "small_vgg":
        plan, units, side = SMALL_VGG, 128, architecture.size // 16

    def wide(count: int) -> int:
        return max(1, round(count * architecture.width))

    channels = [n if isinstance(n, str) else wide(n) for n in plan]
    out, hidden = wide(int(plan[-2])), wide(units)  # the last is "M"
    layers = OrderedDict[str, nn.Module](
        features=make_layers(channels, batch_norm=name == "vgg16_bn"),
        avgpool=nn.AdaptiveAvgPool2d(side),
        flatten=nn.Flatten(),
    )
    if name == "vgg16_features":
        layers["divide"], hidden = Divide(), out
    else:
        layers["classifier"] = nn.Sequential(
            nn.Linear(out * side * side, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(architecture.dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(architecture.dropout),
        )
    trunk = Trunk(architecture, layers, hidden)
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    return trunk


def published(architecture: Architecture) -> Trunk:
    """A network of torchvision's without its head, for any size, with
    torchvision's parameter names. SqueezeNet's last convolution, without its
    ReLU, is the head, a linear layer behind the average."""
    full = torchvision.models.get_model(architecture.name, weights=None)
    layers = OrderedDict(full.named_children())
    layers.popitem()  # the head
    if architecture.name == "densenet121":
        layers["relu"] = nn.ReLU(inplace=True)
    if architecture.name == "squeezenet1_1":
        layers["dropout"] = nn.Dropout(architecture.dropout)
    layers |= {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    return Trunk(architecture, layers, PUBLISHED[architecture.name])


# The features before the head.
PUBLISHED = {"resnet50": 2048, "densenet121": 1024, "squeezenet1_1": 512}
NAMES = ("vgg16", "vgg16_bn", "small_vgg", "vgg16_features", *PUBLISHED)


def build(architecture: Architecture) -> Trunk:
    """A new trunk with random weights. Raises BadTrunk."""
    name, size = architecture.name, architecture.size
    make = published if name in PUBLISHED else vgg
    if name not in NAMES:
        raise BadTrunk(f"unknown network {name!r}: choose from {NAMES}")
    if size < 32:
        raise BadTrunk(f"{size} px are halved 5 times: give at least 32 px")
    return make(architecture)
