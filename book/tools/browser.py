"""The rendered book in Chromium: how it is served, opened, and awaited."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "_build" / "html"
SYSTEM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Fonts, pictures and frames are there, seen or not; raises where
# that takes longer than a minute. A frame says so itself: its load event may
# have been before anybody listened.
READY = """async () => {
  const waits = [...document.querySelectorAll("iframe")]
    .filter(frame => frame.srcdoc)
  for (const lazy of [...document.images, ...waits]) lazy.loading = "eager"
  const shown = Promise.allSettled(
    [...document.images].map(image => image.decode()))
  const late = new Promise((_, fail) => setTimeout(
    () => fail(new Error("the page is not there after a minute")), 60000))
  const there = async () => {
    for (const frame of waits)
      while (!frame.contentDocument?.body?.dataset.ready)
        await new Promise(done => setTimeout(done, 50))
    await document.fonts.ready
    await shown
  }
  await Promise.race([there(), late])
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, else Playwright's. Raises its Error."""
    path = next(filter(None, map(shutil.which, SYSTEM)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=ARGUMENTS
        )
        try:
            yield browser
        finally:
            browser.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of a folder's files, on this machine only."""
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
