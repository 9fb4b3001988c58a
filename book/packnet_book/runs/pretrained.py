"""Weights that were trained before: ImageNet's, or the book's own."""

import re
import sys
from contextlib import redirect_stdout
from importlib.resources import files
from pathlib import Path

import torch
import torchvision
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from packnet_book.places import shipped
from packnet_core.errors import BadTrunk, DamagedFile
from packnet_core.images import MEAN, STD
from packnet_core.network import PackNet
from packnet_core.trunks import Architecture, Trunk

# How torchvision's file for DenseNet still names what is now norm1, conv2.
FORMER = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
SUFFIXES = (".safetensors", ".pth")
# Where torchvision has them under another name than the network's.
WEIGHTS = {"vgg16_features": ("vgg16", "IMAGENET1K_FEATURES")}


def own_weights(architecture: Architecture) -> Path:
    """Where the book's own weights for a network are, if it has some: with
    the first task of the miniature learnt (see `data/pretrain.py`)."""
    here = architecture
    name = f"{here.name}-{here.width:g}-{here.size}.safetensors"
    return shipped("pretrained", "weights") / name


def identifiers() -> list[str]:
    """ImageNet's 1,000 class identifiers (n01440764, …), in the order of
    a pretrained network's outputs."""
    text = files("packnet_book.photos").joinpath("imagenet_classes.txt")
    return text.read_text().split()


def read_weights(trunk: Trunk, file: Path | None) -> dict[str, Tensor]:
    """Trained weights for a trunk, by parameter name.

    file: .safetensors, or a .pth as torchvision publishes it; None to take
    the book's own, and if it has none, to download torchvision's. Raises
    FileNotFoundError, DamagedFile, OSError.
    """
    name = trunk.architecture.name
    if file is None and own_weights(trunk.architecture).is_file():
        file = own_weights(trunk.architecture)
    if file is None:
        network, entry = WEIGHTS.get(name, (name, "IMAGENET1K_V1"))
        weights = torchvision.models.get_model_weights(network)[entry]
        try:
            with redirect_stdout(sys.stderr):  # torch tells the address
                found = weights.get_state_dict(progress=True, check_hash=True)
            return _renormalised(name, dict(found))
        except OSError as error:
            raise OSError(
                f"{weights.url}: cannot be fetched ({error}); fetch it on "
                "another machine and name it with --weights FILE"
            ) from error
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file of weights")
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        found = torch.load(file, map_location="cpu", weights_only=True)
        return _renormalised(name, found)
    except (SafetensorError, RuntimeError, ValueError, EOFError) as error:
        raise DamagedFile(
            f"{file}: not a file of weights ({error}); fetch it again"
        ) from error
    except Exception as error:  # torch.load lets pickle's own errors out
        if type(error).__module__ not in ("_pickle", "pickle"):
            raise
        raise DamagedFile(
            f"{file}: holds more than weights; fetch it again"
        ) from error


def _renormalised(name: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as published, for pictures normalised as all others here.

    Those of the convolutions alone are for other means and deviations,
    which the first layer takes up: w (x - m) / s for each colour.
    """
    if name not in WEIGHTS:
        return weights
    network, entry = WEIGHTS[name]
    theirs = torchvision.models.get_model_weights(network)[entry].transforms()
    mean, std, m, s = (
        torch.tensor(values).view(1, 3, 1, 1)
        for values in (MEAN, STD, theirs.mean, theirs.std)
    )
    first = weights["features.0.weight"]  # (64, 3, 3, 3)
    shift = (first * (mean - m) / s).sum((1, 2, 3))
    return weights | {
        "features.0.weight": first * std / s,
        "features.0.bias": weights["features.0.bias"] + shift,
    }


def load_pretrained(
    trunk: Trunk, weights: dict[str, Tensor]
) -> tuple[Tensor, Tensor] | None:
    """Put trained weights into a trunk; returns those of the classifier.

    Returns weight (C, features) and bias (C,), with ImageNet's C = 1000,
    or None where the weights are those of convolutions alone, and so new
    heads must do.
    Raises BadTrunk.
    """
    own = trunk.state_dict()
    named = {FORMER.sub(r"\1\2", name): t for name, t in weights.items()}
    shared = {name: t for name, t in named.items() if name in own}
    rest = [name for name in named if name not in own]
    headless = trunk.architecture.name in WEIGHTS
    if headless:  # torchvision's file has a classifier without values
        rest = [name for name in rest if not name.startswith("classifier.")]
    # Older files do not count the batches, and nothing depends on it.
    lacking = [
        name
        for name in own
        if name not in shared and not name.endswith("num_batches_tracked")
    ]
    fits = all(own[name].shape == t.shape for name, t in shared.items())
    if not fits or lacking or len(rest) != (0 if headless else 2):
        raise BadTrunk(
            f"these weights are not those of {trunk.architecture.name} at "
            f"width {trunk.architecture.width}, {trunk.architecture.size} px"
        )
    trunk.load_state_dict(own | shared)  # halves become floats
    if headless:
        return None
    weight, bias = (
        named[next(n for n in rest if n.endswith(kind))].float()
        for kind in ("weight", "bias")
    )
    return weight.flatten(1), bias


def start_head(network: PackNet, weight: Tensor, bias: Tensor) -> bool:
    """Give the current head the rows of its classes, if there are any.

    weight (C, features), bias (C,). Of ImageNet's 1,000 rows, those whose
    identifiers are the names of the classes; of others, all, if they are
    as many as the classes. Returns whether there were any.
    """
    classes = network.records[-1].classes
    row = {name: place for place, name in enumerate(identifiers())}
    if len(weight) != len(row):
        row = {name: place for place, name in enumerate(classes)}
    if len(weight) != len(row) or not all(name in row for name in classes):
        return False
    chosen = [row[name] for name in classes]
    head = network.heads[-1]
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.weight.copy_(weight[chosen])
        head.bias.copy_(bias[chosen])
    return True
