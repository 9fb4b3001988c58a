"""Accepts? Networks that people have: taken, refused by name, or taken and
wrong."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
import torchvision
from pandas import DataFrame
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD

from benchmarks.peers.doors import Authors, Door, doors
from benchmarks.peers.exact import outcome
from packnet_core.trunks import Architecture, build

THEIRS = {"VGG-16", "VGG-16-BN", "ResNet-50", "DenseNet-121"}


@dataclass(frozen=True)
class Settings:
    """Full size, random weights, small pictures, few steps."""

    size: int = 64
    pictures: int = 2
    steps: int = 2  # of each phase, SGD with momentum 0.9
    lr: float = 1e-3
    fraction: float = 0.5
    classes: int = 10
    seed: int = 0


class Pixels(nn.Module):
    """A segmentation network without its last layer: features of every
    place, (B, H, W, F), so that a linear head answers for each place."""

    def __init__(self, inside: nn.Module):
        super().__init__()
        self.inside = inside

    def forward(self, images: Tensor) -> Tensor:
        return self.inside(images).permute(0, 2, 3, 1)


def own(name: str) -> Callable[[int], tuple[nn.Module, int]]:
    def make(size: int) -> tuple[nn.Module, int]:
        trunk = build(Architecture(name, size=size))
        return trunk, trunk.out_features

    return make


def transformer(size: int) -> tuple[nn.Module, int]:
    network = torchvision.models.vit_b_16(image_size=size)
    network.heads = nn.Identity()
    return network, network.hidden_dim


def fcn_resnet(size: int) -> tuple[nn.Module, int]:
    network = torchvision.models.segmentation.fcn_resnet50(
        weights=None, weights_backbone=None
    )
    head = nn.Sequential(*list(network.classifier)[:-1])
    deepest = network.backbone  # gives a dictionary

    class Backbone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.deepest = deepest

        def forward(self, images: Tensor) -> Tensor:
            return self.deepest(images)["out"]

    return Pixels(nn.Sequential(Backbone(), head)), 512


def fcn_vgg(size: int) -> tuple[nn.Module, int]:
    """VGG-16's convolutions, and places doubled again five times."""
    widths = (512, 256, 128, 64, 64, 64)
    up: list[nn.Module] = []
    for before, after in pairwise(widths):
        up += [nn.ConvTranspose2d(before, after, 2, stride=2), nn.ReLU()]
    convolutions = torchvision.models.vgg16(weights=None).features
    return Pixels(nn.Sequential(convolutions, *up)), widths[-1]


def unchanged_fcn(size: int) -> tuple[nn.Module, int]:
    network = torchvision.models.segmentation.fcn_resnet50(
        weights=None, weights_backbone=None, num_classes=21
    )
    return network, 21


NETWORKS = {
    "VGG-16": own("vgg16"),
    "VGG-16-BN": own("vgg16_bn"),
    "ResNet-50": own("resnet50"),
    "DenseNet-121": own("densenet121"),
    "ViT-B/16": transformer,
    "FCN-ResNet-50": fcn_resnet,
    "FCN-VGG-16": fcn_vgg,
    "FCN-ResNet-50, its dictionary": unchanged_fcn,
}


def train(door: Door, images: Tensor, settings: Settings) -> None:
    """A phase of a few steps, with a fresh optimiser."""
    optimizer = SGD(door.model.parameters(), settings.lr, momentum=0.9)
    door.guard(optimizer)
    door.train()
    for _ in range(settings.steps):
        optimizer.zero_grad()
        logits = door.logits(images).flatten(0, -2)  # pixels too
        labels = torch.arange(len(logits)) % settings.classes
        cross_entropy(logits, labels).backward()
        door.before_step()
        optimizer.step()
        door.after_step()


def one(kind, name: str, settings: Settings) -> dict:
    """One network through two tasks of one implementation."""
    told = {"network": name, "peer": kind.name}
    if kind is Authors and name not in THEIRS:
        told["message"] = "not in main.py --arch, prune.py alone"
    torch.manual_seed(settings.seed)
    trunk, features = NETWORKS[name](settings.size)
    count = sum(weight.numel() for weight in trunk.parameters())
    told["parameters"] = count
    head = nn.Linear(features, settings.classes)
    first, second = torch.randn(
        2, settings.pictures, 3, settings.size, settings.size
    )
    try:
        door = kind(trunk, head)
    except ValueError as error:  # PackNetError's of trunks are such, too
        return told | {"outcome": "refused", "message": str(error)}
    try:
        train(door, first, settings)
        door.prune(settings.fraction)
        train(door, first, settings)
        before = door.as_first(first)
        door.finish()
        door.begin_next()
        train(door, second, settings)
        after = door.as_first(first)
    except (AttributeError, TypeError) as error:
        return told | {"outcome": "fails", "message": str(error)}
    found = outcome(before.flatten(0, -2), after.flatten(0, -2))
    return told | {key: found[key] for key in ("outcome", "largest_change")}


COLUMNS = ["network", "peer", "parameters", "outcome", "largest_change",
           "message"]  # fmt: skip


def run(settings: Settings) -> DataFrame:
    """Networks of full size with random weights through two tasks, a few
    steps of SGD with momentum each: exact, changed, refused, or failing."""
    rows = []
    for name in NETWORKS:
        for kind in doors():
            rows.append(one(kind, name, settings))
            print(rows[-1], flush=True)
            gc.collect()
    return DataFrame(rows, columns=COLUMNS).fillna({"message": ""})
