"""Files that are either the old one or the new one, never half of each."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """A place to write the new file; it takes `path`'s place at the end.

    If the block raises, `path` stays as it was. Raises OSError that names
    `path`.
    """
    path = Path(path)
    new = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        os.close(handle)
        new = Path(name)
        yield new
        with open(new, "rb") as written:
            os.fsync(written.fileno())
        new.chmod(0o666 & ~_umask())
        os.replace(new, path)
    except OSError as error:  # say which file, not which temporary one
        reason = error.strerror or str(error)
        raise OSError(error.errno, reason, str(path)) from error
    finally:
        if new is not None:
            new.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Replace a text file at once. Raises OSError."""
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
