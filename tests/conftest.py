"""What several files of tests use: a server, a browser, the book in it."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import torch
from playwright.sync_api import Browser, Error

from browser import BUILT, chromium, serve
from packnet_book.photos import download
from tests.http_server import serving

# A job in the background of a shell is started with Ctrl-C ignored.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Runs are compared to the bit, in this process and others.
os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

REQUIRED = bool({"CI", "PACKNET_BOOK"} & set(os.environ))


def refuse(message: str) -> None:
    if REQUIRED:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(chromium())
        except Error as error:
            refuse(
                "no Chromium: `apt-get install chromium`, or `playwright "
                f"install chromium` ({str(error).splitlines()[0]})"
            )
        yield browser


@pytest.fixture(scope="module")
def book() -> Iterator[str]:
    if not (BUILT / "index.html").is_file():
        refuse("the book is not rendered: `make html`")
    with serve(BUILT) as address:
        yield address


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server of the folder `served`; nothing waits between tries."""
    monkeypatch.setattr(download, "PAUSES", (0, 0))
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as server:
        yield server
