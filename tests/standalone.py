"""A page in a file of its own, opened from the disk."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page


def opened(
    browser: Browser, file: Path, width: int = 900, **options
) -> Iterator[Page]:
    """A page that asks for nothing but itself, and has no errors.

    width: in pixels; options: those of Playwright's `new_page`. What the
    page makes itself (a worker from a blob) is its own.
    """
    options = {"viewport": {"width": width, "height": 900}} | options
    page = browser.new_page(**options)
    own = file.as_uri()
    faults: list[str] = []
    page.on("request", lambda r: r.url.startswith((own, "blob:"))
            or faults.append(r.url))  # fmt: skip
    page.on("console", lambda m: m.type != "error" or faults.append(m.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(own)
    page.wait_for_selector("body[data-ready]")
    yield page
    page.close()
    assert faults == []
