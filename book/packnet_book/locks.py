"""One process at a time, as far as the file system can tell them apart."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

# What systems say where files cannot be locked (network drives, FUSE).
UNKNOWN = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def alone(file: Path, waiting: str) -> Iterator[None]:
    """Hold the lock of a file; waiting: what to say if another has it,
    nothing if it has it for a moment only.

    Where nothing can be locked it goes on without, and says so. Raises
    OSError.
    """
    lock = FileLock(file)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if waiting:
                tqdm.write(waiting, file=sys.stderr)
            lock.acquire()
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        _say_unlocked(file.parent)
    try:
        yield
    finally:
        lock.release()


@cache  # once is enough
def _say_unlocked(folder: Path) -> None:
    tqdm.write(
        f"{folder}: files cannot be locked there; begin nothing else that "
        "uses it until this has ended",
        file=sys.stderr,
    )
