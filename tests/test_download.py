"""Downloads: gone on with after a cut, compared, or refused in one line."""

import gzip
import hashlib

import numpy
import pytest

from packnet_book.photos import download
from packnet_book.photos.errors import BadDownload


def noisy(server):
    """A file to be served: a million bytes that are returned."""
    noise = numpy.random.default_rng(0).bytes(1_000_000)
    (server.folder / "noise").write_bytes(noise)
    return noise


def bring(server, target, checksum=None):
    if checksum is None:
        served = (server.folder / "noise").read_bytes()
        checksum = hashlib.md5(served).hexdigest()
    download.download(f"{server.address}/noise", target, checksum)


def test_a_cut_download_goes_on_where_it_was_cut(server, tmp_path):
    noise = noisy(server)
    server.cuts = [400_000, 300_000, 70_000, 70_000, 70_000]
    bring(server, tmp_path / "noise")
    assert (tmp_path / "noise").read_bytes() == noise
    begun = [int(x[6:-1]) if x else 0 for _, x in server.asked]
    assert begun[0] == 0 and 300_000 < begun[1] <= 400_000
    assert begun[1] + 200_000 < begun[2] <= 700_000
    assert len(begun) == 6  # as long as something comes, it goes on
    assert not (tmp_path / "noise.part").exists()


def test_it_gives_up_after_cuts_that_bring_nothing_and_keeps_the_part(
    server, tmp_path
):
    noise = noisy(server)
    server.cuts = [500_000] + [0] * 10
    with pytest.raises(BadDownload, match=r"bytes are kept.*goes on"):
        bring(server, tmp_path / "noise")
    kept = (tmp_path / "noise.part").read_bytes()
    assert len(kept) > 400_000 and noise.startswith(kept)
    server.cuts.clear()
    bring(server, tmp_path / "noise")
    assert server.asked[-1] == ("noise", f"bytes={len(kept)}-")
    assert (tmp_path / "noise").read_bytes() == noise


@pytest.mark.parametrize("part", ["some", "all", "more"])
@pytest.mark.parametrize("ranges", [True, False])
def test_every_part_left_behind_becomes_the_whole(
    part, ranges, server, tmp_path
):
    noise = noisy(server)
    left = {"some": noise[:9999], "all": noise, "more": noise + b"x"}[part]
    (tmp_path / "noise.part").write_bytes(left)
    server.ranges = ranges  # a server that ignores them sends everything
    bring(server, tmp_path / "noise")
    assert (tmp_path / "noise").read_bytes() == noise
    asked_again = part == "more" and ranges
    assert len(server.asked) == 1 + asked_again


def test_a_part_of_another_file_is_thrown_away_once(server, tmp_path):
    noise = noisy(server)
    (tmp_path / "noise.part").write_bytes(bytes(1000))
    with pytest.raises(BadDownload, match="deleted"):
        bring(server, tmp_path / "noise")
    bring(server, tmp_path / "noise")
    assert (tmp_path / "noise").read_bytes() == noise


@pytest.mark.parametrize("statuses", [(503, 500), (429, 408)])
def test_a_server_that_is_busy_is_asked_again(server, tmp_path, statuses):
    noisy(server)
    server.statuses = [*statuses]
    bring(server, tmp_path / "noise")
    assert len(server.asked) == 3


def test_a_server_that_stays_busy_is_told_by_its_answer(server, tmp_path):
    noisy(server)
    server.statuses = [429] * 9
    with pytest.raises(BadDownload, match="429 Too Many Requests"):
        bring(server, tmp_path / "noise")


def test_a_file_that_is_not_there_is_asked_for_once(server, tmp_path):
    with pytest.raises(BadDownload, match=r"404 Not Found.*elsewhere"):
        bring(server, tmp_path / "noise", "0" * 32)
    assert len(server.asked) == 1


def test_an_archive_called_encoded_is_not_unpacked_on_the_way(
    server, tmp_path
):
    packed = gzip.compress(b"a .tgz, for instance")
    (server.folder / "noise").write_bytes(packed)
    server.headers = {"Content-Encoding": "x-gzip"}
    bring(server, tmp_path / "noise")
    assert (tmp_path / "noise").read_bytes() == packed
