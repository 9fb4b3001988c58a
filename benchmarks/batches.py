"""Batches of photographs, cut from the cache, against the usual way."""

import tempfile
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.ratios import Ratio, compare
from packnet_book.photos.layouts import read_classes
from packnet_book.photos.preparation import Preparation
from packnet_book.photos.store import stored
from packnet_core.images import MEAN, STD, Pictures, normalise, shuffled

SIZE, BATCH, PICTURES, CLASSES, WORKERS = 224, 32, 512, 4, 2
SHAPE = (500, 375)  # that of most photographs in ImageNet


def run() -> Ratio:
    """Time of an epoch from the cache over that of ImageFolder's.

    Both resize to 256 pixels, cut out a random square of 224, flip it or
    not, and normalise; the usual way with two worker processes, which
    stay from epoch to epoch. Without the random part both give the same
    images, or this fails. The pictures are noise, smooth like photographs.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _draw(root / "train")
        listing = read_classes(root, "train")
        pictures = Pictures(
            stored(listing, Preparation(SIZE, cropped=False), root / "kept"),
            torch.tensor(listing.labels),
            listing.classes,
        )
        way = transforms.Compose(
            [
                transforms.Resize(256),
                transforms.RandomCrop(SIZE),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        )
        loader = DataLoader(
            ImageFolder(root / "train", transform=way),
            batch_size=BATCH,
            shuffle=True,
            num_workers=WORKERS,
            persistent_workers=True,
        )
        device = torch.device("cpu")

        def ours() -> int:
            seen = 0
            for batch in shuffled(len(pictures), BATCH, epoch=0):
                draws = torch.rand(len(batch), 3)
                squares = pictures.crops(batch, SIZE, draws, device)
                images, _ = normalise(squares), pictures.labels[batch]
                seen += len(images)
            return seen

        def theirs() -> int:
            return sum(len(images) for images, _ in loader)

        plain = transforms.Compose(
            [
                transforms.Resize(256),
                transforms.CenterCrop(SIZE),
                transforms.PILToTensor(),
            ]
        )
        centres = pictures.centres(torch.arange(PICTURES), SIZE, device)
        same = ImageFolder(root / "train", transform=plain)
        assert all(
            torch.equal(centre, image) and label == named
            for centre, label, (image, named) in zip(
                centres, pictures.labels, same, strict=True
            )
        )
        assert ours() == theirs() == PICTURES
        return compare(ours, theirs, pairs=5)


def _draw(folder: Path) -> None:
    """Smooth noise, saved as photographs are."""
    random = numpy.random.default_rng(0)
    for number in range(PICTURES):
        coarse = random.integers(0, 256, (48, 64, 3), dtype=numpy.uint8)
        picture = Image.fromarray(coarse).resize(
            SHAPE, Image.Resampling.BICUBIC
        )
        place = folder / f"{number % CLASSES}" / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        picture.save(place, quality=90)
