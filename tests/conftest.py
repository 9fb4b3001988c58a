"""What several files of tests use."""

import pytest

from packnet_core.sets import download
from tests.http_server import serving


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server of the folder `served`; nothing waits between tries."""
    monkeypatch.setattr(download, "PAUSES", (0, 0))
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as server:
        yield server
