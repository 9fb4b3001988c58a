"""ImageNet's validation pictures, which come without folders of classes."""

from pathlib import Path

import scipy.io

from packnet_book.photos.errors import BadArchive

MEANINGS = Path("data") / "meta.mat"
ANSWERS = Path("data") / "ILSVRC2012_validation_ground_truth.txt"


def sort_validation(pictures: Path, kit: Path) -> None:
    """Move each picture into a folder of its class, as in training.

    pictures: a folder with the validation pictures; kit: the development
    kit, unpacked. The kit's n-th answer is that of the n-th name; it
    counts classes from 1 in its own order. Raises BadArchive.
    """
    names = _identifiers(kit)
    try:
        answers = [int(x) for x in (kit / ANSWERS).read_text().split()]
        folders = [pictures / names[answer] for answer in answers]
    except (KeyError, ValueError, FileNotFoundError) as error:
        raise BadArchive(
            f"{kit / ANSWERS}: cannot be used ({error!r}); delete {kit} and "
            "run the command again"
        ) from error
    files = sorted(file for file in pictures.iterdir() if file.is_file())
    if len(files) != len(folders):
        raise BadArchive(
            f"{len(files):,} validation pictures, and {len(folders):,} "
            f"answers in {kit}; fetch both archives again"
        )
    for folder in set(folders):
        folder.mkdir()
    for file, folder in zip(files, folders, strict=True):
        file.rename(folder / file.name)


def _identifiers(kit: Path) -> dict[int, str]:
    """The WordNet identifier of each class number of the kit.

    They are the first two columns of its table (after torchvision's
    `parse_devkit_archive`), which also names what stands above classes.
    """
    try:
        table = scipy.io.loadmat(kit / MEANINGS, squeeze_me=True)["synsets"]
        return {int(row[0]): str(row[1]) for row in table}
    except Exception as error:  # scipy has no error of its own for these
        raise BadArchive(
            f"{kit / MEANINGS}: cannot be read ({error}); delete {kit} and "
            "run the command again"
        ) from error
