"""Trunks: the shared layers without a head, each built from its name."""

from collections import OrderedDict
from dataclasses import dataclass

import torch
import torchvision
from torch import Tensor, nn

from packnet_core.errors import BadTrunk

# Simonyan & Zisserman 2015, table 1, column D; "M" halves the picture.
VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M",
         512, 512, 512, "M", 512, 512, 512, "M")  # fmt: skip
# De Lange et al. 2021, "small", with hidden layers of 128.
SMALL_VGG = (64, "M", 64, "M", 64, 64, "M", 128, 128, "M")
LARGE = 32.0  # what pretrained convolutions' features are divided by


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build a trunk again.

    name: one of `NAMES`; width: factor on the number of channels and of
    hidden units (VGG only); size: side of the pictures, in pixels;
    dropout: share of the features that training leaves out (networks
    that have it only).
    """

    name: str = "vgg16"
    width: float = 1.0
    size: int = 224
    dropout: float = 0.5


class Trunk(nn.Module):
    """Maps images (B, 3, size, size) to features (B, out_features)."""

    def __init__(
        self,
        architecture: Architecture,
        layers: "OrderedDict[str, nn.Module]",
        out_features: int,
    ):
        super().__init__()
        self.architecture = architecture
        self.out_features = out_features
        for name, module in layers.items():
            self.add_module(name, module)

    def forward(self, images: Tensor) -> Tensor:
        # Channels last is up to a third faster, and the same for all.
        x = images.contiguous(memory_format=torch.channels_last)
        for module in self.children():
            x = module(x)
        return x


def vgg16(architecture: Architecture) -> Trunk:
    """VGG-16 in any size, with torchvision's parameter names.

    13 convolutions and 2 hidden linear layers; `width=1, size=224` has
    torchvision's shapes too. After five halvings a picture of `size`
    pixels is `size // 32` wide, and so is what enters the first linear
    layer. "small_vgg" is the same with six convolutions, four halvings.
    """
    small = architecture.name == "small_vgg"
    side = architecture.size // (16 if small else 32)
    convolutions, channels = _convolutions(architecture)
    hidden = max(1, round((128 if small else 4096) * architecture.width))
    linear = [
        nn.Linear(channels * side * side, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(architecture.dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(architecture.dropout),
    ]
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        features=convolutions,
        avgpool=nn.AdaptiveAvgPool2d(side),
        flatten=nn.Flatten(),
        classifier=nn.Sequential(*linear),
    )
    return _started(Trunk(architecture, layers, hidden))


def vgg16_features(architecture: Architecture) -> Trunk:
    """VGG-16's convolutions and the average over places, 512 features.

    The pretrained ones are large (of length 320 on average), so that a
    new head's first steps would wreck the network: divided by 32 here.
    """
    convolutions, channels = _convolutions(architecture)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        features=convolutions,
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        divide=Divide(LARGE),
    )
    return _started(Trunk(architecture, layers, channels))


class Divide(nn.Module):
    """Features (B, F) by a number."""

    def __init__(self, by: float):
        super().__init__()
        self.by = by

    def forward(self, features: Tensor) -> Tensor:
        return features / self.by


def _convolutions(architecture: Architecture) -> tuple[nn.Sequential, int]:
    """The convolutions of a VGG, and the channels of the last."""
    norm = architecture.name == "vgg16_bn"
    convolutions: list[nn.Module] = []
    channels = 3
    small = architecture.name == "small_vgg"
    for step in SMALL_VGG if small else VGG16:
        if isinstance(step, str):
            convolutions.append(nn.MaxPool2d(2, 2))
            continue
        out = max(1, round(step * architecture.width))
        convolutions.append(nn.Conv2d(channels, out, 3, padding=1))
        if norm:
            convolutions.append(nn.BatchNorm2d(out))
        convolutions.append(nn.ReLU(inplace=True))
        channels = out
    return nn.Sequential(*convolutions), channels


def _started(trunk: Trunk) -> Trunk:
    """The trunk with random weights and biases of zero."""
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    return trunk


def published(architecture: Architecture) -> Trunk:
    """A network of torchvision's without its head, for any size.

    With torchvision's parameter names. SqueezeNet's classifier is a
    convolution followed by an average; without the ReLU between them
    that is the average followed by a linear layer, so the average belongs
    to the trunk and the linear layer is the head.
    """
    head, out_features, tail = PUBLISHED[architecture.name]
    full = torchvision.models.get_model(architecture.name, weights=None)
    layers = OrderedDict(full.named_children())
    del layers[head]
    for name in tail:
        layers[name] = {
            "relu": lambda: nn.ReLU(inplace=True),
            "dropout": lambda: nn.Dropout(architecture.dropout),
            "avgpool": lambda: nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten,
        }[name]()
    return Trunk(architecture, layers, out_features)


# The head's name, the features before it, and what comes in its place.
PUBLISHED = {
    "resnet50": ("fc", 2048, ("flatten",)),
    "densenet121": ("classifier", 1024, ("relu", "avgpool", "flatten")),
    "squeezenet1_1": ("classifier", 512, ("dropout", "avgpool", "flatten")),
}
BUILDERS = {
    "vgg16": vgg16,
    "vgg16_bn": vgg16,
    "small_vgg": vgg16,
    "vgg16_features": vgg16_features,
} | dict.fromkeys(PUBLISHED, published)
NAMES = tuple(BUILDERS)


def build(architecture: Architecture) -> Trunk:
    """A new trunk with random weights. Raises BadTrunk."""
    if architecture.name not in BUILDERS:
        raise BadTrunk(
            f"unknown network {architecture.name!r}; "
            f"choose from {', '.join(NAMES)}"
        )
    if architecture.size < 32:
        raise BadTrunk(
            f"pictures of {architecture.size} px are halved five times: "
            "take at least 32 px"
        )
    return BUILDERS[architecture.name](architecture)
