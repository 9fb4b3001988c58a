"""A file from the web, resumed where the connection was cut.

pooch checks and places it; what pooch lacks is here: asking for the rest
of a file that is there in part, and bytes as they are stored, since some
servers call a .tgz "encoded" and it must not be unpacked on the way.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
import urllib3
from tqdm import tqdm

from packnet_book.photos.errors import BadDownload

CHUNK = 2**16  # bytes; what is lost at most when a connection is cut
PAUSES = (1, 5, 15)  # seconds between tries that bring nothing
BUSY = (408, 429)  # answers that may be others next time, as those from 500
PATIENCE = (20, 60)  # seconds for a connection, and for the next bytes
CUT = (requests.RequestException, urllib3.exceptions.HTTPError)


def download(address: str, target: Path, md5: str) -> None:
    """Download a file, or go on with it, and compare its checksum.

    What is there of it is kept as `<name>.part` until it is complete. A
    file that is there already and right is left alone.
    Raises BadDownload, OSError.
    """
    part = target.with_name(f"{target.name}.part")
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            address,
            known_hash=f"md5:{md5}",
            fname=target.name,
            path=target.parent,
            downloader=Resuming(part),
        )
    except ValueError as error:  # pooch's word for another checksum
        raise BadDownload(
            f"{address}: not the file that was published: its md5 is not "
            f"{md5}; it was deleted: try again, or fetch {target.name} "
            f"elsewhere and put it into {target.parent}"
        ) from error


def _told(error: Exception) -> str:
    """The server's answer, 404 Not Found say, or what kind of error it is."""
    answer = getattr(error, "response", None)
    if answer is None:
        return type(error).__name__
    return f"{answer.status_code} {answer.reason}"


@dataclass(frozen=True)
class Resuming:
    """A downloader for `pooch.retrieve` that goes on with a part."""

    part: Path

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        tries = 0
        while True:
            before = self._have()
            try:
                self._rest(url)
                break
            except CUT as error:
                self._refused(url, error)
                tries = 0 if self._have() > before else tries + 1
                if tries > len(PAUSES):
                    raise BadDownload(
                        f"{url}: no answer, or cut again and again "
                        f"({_told(error)}); {self._have():,} bytes "
                        "are kept and the same command goes on from there; "
                        "see whether this computer is connected"
                    ) from error
                pause = PAUSES[max(tries - 1, 0)]
                tqdm.write(f"{url}: cut; again in {pause} s", sys.stderr)
                time.sleep(pause)
        os.replace(self.part, output_file)

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _refused(self, url: str, error: Exception) -> None:
        """Raise for an answer that will be the same next time."""
        code = getattr(getattr(error, "response", None), "status_code", 500)
        if code < 500 and code not in BUSY:
            raise BadDownload(
                f"{url}: the server says {_told(error)}; perhaps the file "
                "has moved: fetch it elsewhere and put it into "
                f"{self.part.parent}"
            ) from error
        if isinstance(error, ValueError):
            raise BadDownload(f"{url}: not an address; {error}") from error

    def _rest(self, url: str) -> None:
        """Ask for what is missing, and append it."""
        have = self._have()
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(
            url, headers=headers, stream=True, timeout=PATIENCE
        ) as answer:
            sent = answer.headers.get("Content-Range", "")
            if (
                have
                and answer.status_code == 416
                and sent == f"bytes */{have}"
            ):
                return  # it was complete
            goes_on = sent.startswith(f"bytes {have}-")
            if have and answer.status_code in (206, 416) and not goes_on:
                self.part.unlink()  # of another file than is there now
                raise requests.ConnectionError("the file has changed")
            answer.raise_for_status()
            if answer.status_code != 206:
                have = 0  # ranges are ignored: all of it comes again
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length else None
            with (
                self.part.open("ab" if have else "wb") as file,
                tqdm(
                    desc=self.part.stem, initial=have, total=total, unit="B",
                    unit_scale=True, file=sys.stderr,
                ) as bar,
            ):  # fmt: skip
                for piece in answer.raw.stream(CHUNK, decode_content=False):
                    have += file.write(piece)
                    bar.update(len(piece))
            if total is not None and have < total:
                raise requests.ConnectionError("cut")
