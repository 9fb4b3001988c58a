"""Where the book's files are: shipped with it, kept, and written."""

import os
from pathlib import Path

import platformdirs

from packnet_core.errors import BadRun
from packnet_core.files import replacing

PACKAGE = Path(__file__).parent


def shipped(in_checkout: str, in_package: str) -> Path:
    """A folder of `data/`: in a checkout, or in the package as installed."""
    here = PACKAGE.parents[1] / "data" / in_checkout
    return here if here.is_dir() else PACKAGE / in_package


def cache() -> Path:
    """Where drawn pictures and trained networks are kept: what
    `PACKNET_CACHE` names, or the user's cache."""
    place = os.environ.get("PACKNET_CACHE")
    return Path(place or platformdirs.user_cache_dir("packnet"))


def decoded() -> Path:
    """Where photographs are kept decoded: what `PACKNET_PICTURES` names,
    or a folder in the user's cache."""
    place = os.environ.get("PACKNET_PICTURES")
    return Path(
        place or Path(platformdirs.user_cache_dir("packnet")) / "pictures"
    )


def refuse_name(place: Path, cure: str = "name another place") -> None:
    """Raise BadRun for a place where no network could be kept, or read."""
    try:
        str(place.absolute()).encode()
    except UnicodeEncodeError:  # safetensors takes no other names
        raise BadRun(
            f"{place}: a name that is not UTF-8, in which no network can be "
            f"kept; {cure}"
        ) from None


def write_text(path: str | os.PathLike, text: str) -> None:
    """Replace a text file at once, its lines as they end. Raises OSError."""
    with replacing(path) as new:
        new.write_text(text, "utf-8", errors="surrogateescape", newline="")
