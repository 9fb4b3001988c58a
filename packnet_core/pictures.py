"""A set of labelled pictures in memory, and the batches made of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# The mean and spread of ImageNet's pixels, per colour, from 0 to 1.
MEAN = (0.485, 0.456, 0.406)
SPREAD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Pictures:
    """Labelled pictures of one split of one task.

    images: uint8 tensor (N, 3, H, W), red, green, blue, H and W at least
    what the network takes: training cuts a random square of that size
    out of each, testing the one in the centre;
    labels: int64 tensor (N,), each in [0, len(classes));
    classes: the classes' names, in the order of the labels.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def crops(
        self, indices: Tensor, size: int, draws: Tensor, device: torch.device
    ) -> Tensor:
        """Random squares (B, 3, size, size) of some pictures, as bytes.

        indices: (B,); draws: (B, 3), as `augment` takes them.
        """
        return augment(self.images[indices].to(device), size, draws)


class Together:
    """The training pictures of several tasks as one set.

    Labels count through the classes of all tasks, in the tasks' order.
    """

    def __init__(self, parts: Sequence[Pictures]):
        counts = torch.tensor([len(part) for part in parts])
        classes = torch.tensor([len(part.classes) for part in parts])
        first = classes.cumsum(0) - classes
        self.parts = parts
        self.labels = torch.cat(
            [p.labels + f for p, f in zip(parts, first, strict=True)]
        )
        self._part = torch.arange(len(parts)).repeat_interleave(counts)
        self._start = counts.cumsum(0) - counts

    def __len__(self) -> int:
        return len(self.labels)

    def crops(
        self, indices: Tensor, size: int, draws: Tensor, device: torch.device
    ) -> Tensor:
        """Like `Pictures.crops`, each picture cut as its task cuts it."""
        images = torch.empty(
            len(indices), 3, size, size, dtype=torch.uint8, device=device
        )
        of = self._part[indices]
        for number, part in enumerate(self.parts):
            rows = (of == number).nonzero().squeeze(1)
            inside = indices[rows] - self._start[number]
            images[rows.to(device)] = part.crops(
                inside, size, draws[rows], device
            )
        return images


def generator(*words: object) -> torch.Generator:
    """Random numbers that depend on the words, and on nothing else."""
    text = "/".join(str(word) for word in words)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    seed = int.from_bytes(digest, "little") >> 1
    return torch.Generator().manual_seed(seed)


def normalise(images: Tensor) -> Tensor:
    """Bytes (B, 3, H, W) to floats with ImageNet's mean and spread."""
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1) * 255
    spread = torch.tensor(SPREAD, device=images.device).view(3, 1, 1) * 255
    return (images - mean) / spread


def centre(images: Tensor, size: int) -> Tensor:
    """The square (B, 3, size, size) in the middle of each picture."""
    top = (images.shape[2] - size) // 2
    left = (images.shape[3] - size) // 2
    return images[:, :, top : top + size, left : left + size]


def augment(images: Tensor, size: int, draws: Tensor) -> Tensor:
    """A random square of each picture, flipped left to right or not.

    images: (B, 3, H, W); draws: float tensor (B, 3) in [0, 1): top, left,
    flip. Returns (B, 3, size, size).
    """
    draws = draws.to(images.device)
    room = torch.tensor(images.shape[2:], device=images.device) - size + 1
    corner = (draws[:, :2] * room).long()  # (B, 2)
    along = torch.arange(size, device=images.device)
    across = torch.where(draws[:, 2:] < 0.5, along, along.flip(0))
    rows = (corner[:, :1] + along)[:, None, :, None]  # (B, 1, size, 1)
    columns = (corner[:, 1:] + across)[:, None, None, :]
    picture = torch.arange(len(images), device=images.device)
    colour = torch.arange(3, device=images.device)
    return images[
        picture[:, None, None, None], colour[:, None, None], rows, columns
    ]


def share(indices: Tensor, process: int, processes: int) -> Tensor:
    """The part of a batch's indices (B,) that one process takes."""
    return indices[process::processes]


def shuffled(
    count: int, batch: int, *seed: object, epoch: int
) -> list[Tensor]:
    """The batches of one epoch, as indices (batch,) in a random order.

    An incomplete last batch is left out, unless it is the only one; the
    next epoch leaves out others.
    """
    order = torch.randperm(count, generator=generator(*seed, epoch))
    whole = max(count // batch, 1) * batch
    return list(order[:whole].split(batch))
