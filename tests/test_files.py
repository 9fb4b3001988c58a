"""`network.packnet`: nothing lost, nothing executed, nothing believed."""

import errno
import json
import math
import os
import struct

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from packnet_core import PackNet, files, load
from packnet_core.errors import BadTrunk, DamagedFile
from packnet_core.trunks import Architecture, build
from tests.lies import lie


@pytest.fixture(scope="module")
def network() -> PackNet:
    torch.manual_seed(0)
    trunk = build(Architecture("vgg16_bn", width=1 / 32, size=32))
    network = PackNet(trunk, trunk.out_features)
    network.add_task("birds", ["hen", "duck", "swan"])
    network.prune(0.5)
    network.add_task("cars", 7)
    network.prune(0.75)
    network.provenance = {"seed": 3}
    return network.eval()


@pytest.fixture
def file(network, tmp_path):
    network.save(tmp_path / "network.packnet")
    return tmp_path / "network.packnet"


def test_a_reloaded_network_gives_bit_identical_logits(network, file):
    images = torch.rand(4, 3, 32, 32)
    again = load(file).eval()
    for task in network.tasks:
        with torch.no_grad(), network.view(task), again.view(task):
            assert torch.equal(network(images), again(images))


def test_loaded_weights_are_aligned_like_those_that_were_made(file):
    again = load(file)
    for name, parameter in again.named_parameters():
        # Else products of one picture are rounded in another way.
        assert parameter.data_ptr() % 64 == 0, name


def test_everything_comes_back(network, file):
    again = load(file)
    assert again.records == network.records
    assert again.records[0].classes == ("hen", "duck", "swan")
    assert again.records[1].fractions == (0.75,)
    assert again.provenance == {"seed": 3}
    assert again.trunk.architecture == network.trunk.architecture
    state = again.state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(state[name], tensor), name
    for name, owner in network.owner.items():
        assert torch.equal(again.owner[name], owner), name
        assert again.owner[name].dtype == torch.uint8
    for ours, theirs in zip(
        network.parameters(), again.parameters(), strict=True
    ):
        assert ours.requires_grad == theirs.requires_grad


def test_loading_draws_no_random_numbers(file):
    before = torch.get_rng_state()
    load(file)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_reloaded_network_learns_on(file):
    again = load(file)
    again.add_task("flowers", 2)
    again.prune(0.5)
    assert again.tasks == ["birds", "cars", "flowers"]


def test_a_trunk_of_ones_own_is_given_when_loading(tmp_path):
    def make():
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 5))

    network = PackNet(make(), 5)
    network.add_task("a", 2)
    network.save(tmp_path / "own.packnet")
    with pytest.raises(BadTrunk, match=r"call load\(path, trunk\)"):
        load(tmp_path / "own.packnet")
    again = load(tmp_path / "own.packnet", make())
    images = torch.rand(2, 3, 2, 2)
    assert torch.equal(again(images), network(images))
    with pytest.raises(BadTrunk, match="build the trunk that was saved"):
        load(tmp_path / "own.packnet", nn.Linear(12, 6))


def test_any_safetensors_library_can_open_the_file(network, file):
    tensors = load_file(file)
    weight = tensors["trunk.features.0.weight"]
    assert torch.equal(weight, network.layers["features.0.weight"])
    assert tensors["heads.1.weight"].shape == (7, network.out_features)


def test_one_changed_byte_anywhere_is_noticed(file, tmp_path):
    sound = file.read_bytes()
    damaged = tmp_path / "damaged.packnet"
    generator = numpy.random.default_rng(0)
    places = [*range(0, 40), *generator.integers(0, len(sound), 60)]
    for place in places:
        data = bytearray(sound)
        data[place] ^= 1 << int(generator.integers(0, 8))
        damaged.write_bytes(data)
        with pytest.raises(DamagedFile, match="make or fetch"):
            load(damaged)


@pytest.mark.parametrize("length", [0, 5, 8, 100, 4000, -1])
def test_a_truncated_file_is_noticed(file, length):
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(DamagedFile, match="make or fetch"):
        load(file)


def forged(file, tensors=None, **changes):
    """A file with a right checksum and another content."""
    with files.safe_open(file, framework="pt") as opened:
        header = json.loads(opened.metadata()["packnet"])
    header |= {"sha256": files.NO_SUM, **changes}
    metadata = {"packnet": json.dumps(header)}
    save_file(load_file(file) | (tensors or {}), file, metadata)
    digest, place = files._checksum(file)
    with open(file, "r+b") as opened:
        opened.seek(place)
        opened.write(digest.encode())
    return file


HOSTILE = {
    "unknown format": {"format": 99},
    "no tasks": {"tasks": None},
    "a task twice": {"tasks": [{"name": "a", "classes": ["b"] * 3,
                                "fractions": []}] * 2},
    "too few heads": {"tasks": [{"name": str(n), "classes": ["a"] * 3,
                                 "fractions": []} for n in range(9)]},
    "wrong classes": {"tasks": [{"name": "a", "classes": ["b"] * 30,
                                 "fractions": []}]},
    "a class that is no text": {"tasks": [{"name": "a", "classes": 3,
                                           "fractions": []}]},
    "features": {"features": 10**9},
    "no provenance": {"provenance": 3},
}  # fmt: skip


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_header_gives_one_clear_error(file, changes):
    with pytest.raises(DamagedFile, match="make or fetch"):
        load(forged(file, **changes))


@pytest.mark.parametrize(
    "architecture",
    [
        {"name": "os.system", "width": 1, "size": 32},
        {"name": "vgg16_bn", "width": 1e3, "size": 32},
        {"name": "vgg16_bn", "width": 1, "size": 32},
        {"name": "vgg16", "width": 1 / 32, "size": 32},
    ],
)
def test_a_hostile_architecture_is_refused_before_memory_is_taken(
    file, architecture
):
    with pytest.raises((BadTrunk, DamagedFile)):
        load(forged(file, architecture=architecture))


@pytest.mark.parametrize(
    "architecture",
    [{"name": []}, {"size": "32"}, {"nonsense": 1}, "text"],
)
def test_an_architecture_of_the_wrong_form_is_damage(file, architecture):
    with pytest.raises(DamagedFile):
        load(forged(file, architecture=architecture))


def test_an_owner_map_that_swells_is_stopped(file):
    import zlib

    bomb = zlib.compress(bytes(50_000_000), 9)
    code = torch.frombuffer(bytearray(bomb), dtype=torch.uint8)
    with pytest.raises(DamagedFile, match="owner map"):
        load(forged(file, {"owners.features.0.weight": code}))


def test_equal_networks_give_equal_files(network, file, tmp_path):
    for number in range(3):
        network.save(tmp_path / f"{number}.packnet")
        again = (tmp_path / f"{number}.packnet").read_bytes()
        assert again == file.read_bytes()


def test_a_missing_file_is_not_called_damaged(tmp_path):
    with pytest.raises(FileNotFoundError, match="No such file"):
        load(tmp_path / "nothing.packnet")


def test_a_full_disk_leaves_the_older_file_whole(network, file, monkeypatch):
    sound = file.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        network.save(file)
    assert file.read_bytes() == sound
    assert os.listdir(file.parent) == [file.name]


@given(st.integers(1, 255), st.data())
def test_a_coded_owner_map_comes_back(tasks, data):
    owners = data.draw(st.lists(st.integers(0, tasks)))
    owner = torch.tensor(owners, dtype=torch.uint8)
    code = files.encode(owner, tasks)
    again = files.decode(code, tasks, len(owner))
    assert again.tolist() == owners
    with pytest.raises(ValueError, match="owner map"):
        files.decode(code, tasks, len(owner) + 9)


def test_a_coded_owner_map_is_close_to_its_entropy():
    shares = [0.5, 0.125, 0.09375, 0.28125]  # 0.5, 0.75, 0.75 pruned
    entropy = -sum(share * math.log2(share) for share in shares)
    generator = numpy.random.default_rng(0)
    owner = generator.choice([1, 2, 3, 4], 10**6, p=shares).astype("uint8")
    coded = files.encode(torch.from_numpy(owner), 4)
    bits = 8 * len(coded) / len(owner)
    assert entropy < bits < 1.01 * entropy + 0.03


def test_the_header_length_cannot_point_past_the_file(tmp_path):
    path = tmp_path / "long.packnet"
    path.write_bytes(struct.pack("<Q", 2**62) + b"{}")
    with pytest.raises(DamagedFile):
        load(path)


def test_files_that_lie_give_one_named_error_or_a_network(file, tmp_path):
    """A short form of many thousands: right checksums over anything."""
    told = 0
    for seed in range(250):
        target = tmp_path / "lie.packnet"
        try:
            lie(file, target, seed)
        except ValueError:  # what no safetensors file can hold
            continue
        try:
            assert load(target).tasks
        except (DamagedFile, BadTrunk):
            told += 1
    assert told > 100
