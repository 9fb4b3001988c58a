"""What can be refused is refused before the work, with its cure."""

import os
import sys
from io import BytesIO, TextIOWrapper
from unittest.mock import MagicMock

import pytest

from packnet_book import own_task
from packnet_book.cli import main
from packnet_book.runs.contents import filter_table, owner_table
from packnet_book.runs.presets import FROM_NOTHING, at_length, shortened
from packnet_core import load
from packnet_core.errors import BadFraction, BadRun, BadTask
from packnet_core.network import RESERVED
from tests.test_command_line import fails, packed, pictures

__all__ = ["packed", "pictures"]  # fixtures


@pytest.fixture
def untrained(monkeypatch):
    """Training that must not begin."""

    def begun(*_, **__):
        raise AssertionError("trained before it was refused")

    monkeypatch.setattr(own_task, "fit", begun)
    monkeypatch.setattr(own_task, "in_memory", begun)


@pytest.fixture
def line(packed, pictures, tmp_path):
    return {
        "--task": "mine", "--data": pictures, "--out": tmp_path / "x",
        "--prune": "0.5", "--epochs": "1",
    }  # fmt: skip


def add(packed, line):
    words = [word for pair in line.items() if pair[1] for word in pair]
    return ["add", packed, *words]


def test_a_place_that_is_a_folder(packed, line, tmp_path, capsys, untrained):
    (tmp_path / "folder").mkdir()
    said = fails(capsys, *add(packed, line | {"--out": tmp_path / "folder"}))
    assert "a folder; name a file" in said


def test_a_place_that_is_the_input(packed, line, tmp_path, capsys, untrained):
    before = packed.read_bytes()
    (tmp_path / "link").symlink_to(packed)
    os.link(packed, tmp_path / "hard")
    for name in (packed, tmp_path / "link", tmp_path / "hard",
                 tmp_path / "mine" / ".." / packed.name):  # fmt: skip
        said = fails(capsys, *add(packed, line | {"--out": name}))
        assert "stays as it is; name another file" in said
    assert packed.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes of a name")
def test_a_place_that_is_no_file_stays_what_it_is(
    packed, line, tmp_path, capsys, untrained
):
    """As root, a file would take the place of /dev/null."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    said = fails(capsys, *add(packed, line | {"--out": pipe}))
    assert "a device or a pipe; name a file" in said
    said = fails(capsys, "show", packed, "--html", pipe)
    assert "a device or a pipe, not a file" in said
    with pytest.raises(OSError, match="a device or a pipe"):
        load(packed).save(pipe)
    assert pipe.is_fifo()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc")
def test_a_place_where_nothing_can_be_written_is_named(
    packed, line, capsys, untrained
):
    said = fails(capsys, *add(packed, line | {"--out": "/proc/x"}))
    assert "/proc/x" in said and "probe" not in said


@pytest.mark.parametrize(
    "name", [" ", "\t", "a\nb", "a\r", "a\u2028b", " a", "a "]
)
def test_a_name_that_cannot_be_read_on_a_line(
    packed, line, capsys, untrained, name
):
    said = fails(capsys, *add(packed, line | {"--task": name}))
    assert "give a name that can be read, on one line" in said


def test_a_name_that_is_not_utf8_is_added(packed, line):
    words = add(packed, line | {"--task": "caf\udce9"})
    assert main([str(word) for word in words]) == 0
    assert load(line["--out"]).tasks[-1] == "caf\udce9"


@pytest.mark.parametrize("name", ["one", "two", *RESERVED])
def test_a_name_that_is_taken_or_a_column(
    packed, line, capsys, untrained, name
):
    said = fails(
        capsys,
        *add(packed, line | {"--task": name, "--retrain": line["--data"]}),
    )
    assert f"'{name}' needs a name of its own" in said
    network = load(packed)
    with pytest.raises(BadTask, match="needs a name of its own"):
        network.add_head(name, 2)


def test_every_other_name_is_one_column_of_each_table(packed):
    network = load(packed)
    network.add_head("Free ", 2)
    for table in (owner_table(network), filter_table(network)):
        assert list(table.columns).count("Free ") == 1


def test_no_free_weights_before_pictures_are_read(
    packed, line, capsys, untrained
):
    said = fails(capsys, *add(packed, line | {"--prune": ""}))
    assert "no free weights left" in said and "--prune" in said


def test_a_fraction_that_frees_nothing_before_training(
    packed, line, capsys, monkeypatch
):
    monkeypatch.setattr(own_task, "fit", MagicMock())
    said = fails(capsys, *add(packed, line | {"--prune": "0.0"}))
    assert "frees no weight of 'two'; give a larger" in said
    own_task.fit.assert_not_called()


def test_pictures_to_retrain_that_would_not_be_used(
    packed, line, tmp_path, capsys, untrained
):
    words = line | {"--prune": "", "--retrain": tmp_path / "no"}
    said = fails(capsys, *add(packed, words))
    assert "--retrain" in said and "give --prune F too" in said


@pytest.mark.parametrize(
    "options",
    [{"epochs": 0}, {"epochs": -3}, {"subset": 0.0}, {"subset": 1.5},
     {"subset": float("nan")}],
)  # fmt: skip
def test_lengths_and_shares_out_of_bounds(
    packed, line, tmp_path, untrained, options
):
    with pytest.raises(BadRun, match="give "):
        own_task.add(
            packed, "mine", line["--data"], tmp_path / "x", **options
        )


def test_a_fraction_out_of_bounds(packed, line, tmp_path, untrained):
    with pytest.raises(BadFraction):
        own_task.add(
            packed, "mine", line["--data"], tmp_path / "x", prune=1.0
        )


@pytest.mark.parametrize("epochs", [0, -3])
def test_presets_of_no_length(epochs):
    for change in (shortened, at_length):
        with pytest.raises(BadRun, match=f"epochs {epochs}: give 1 or more"):
            change(FROM_NOTHING, epochs)


@pytest.mark.parametrize("command", ["run miniature --out x", "add x --task "
                                     "a --data b --out c"])  # fmt: skip
@pytest.mark.parametrize(
    ("option", "value"),
    [("--epochs", "-3"), ("--subset", "-1"), ("--epochs", "nan")],
)
def test_the_command_line_says_the_same(command, option, value, capsys):
    assert main([*command.split(), option, value]) == 2
    assert f"'{option}'" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--data", "--weights"])
def test_an_option_that_the_preset_would_ignore(tmp_path, capsys, option):
    said = fails(capsys, "run", "miniature-full", "--out", tmp_path / "run",
                 option, tmp_path)  # fmt: skip
    assert f"{option}: miniature-full" in said and "leave it out" in said
    assert not (tmp_path / "run").exists()


def test_pictures_that_are_not_there_before_weights_are_fetched(
    tmp_path, capsys
):
    said = fails(capsys, "run", "photos", "--out", tmp_path / "run",
                 "--data", tmp_path / "no")  # fmt: skip
    assert "--data" in said and "no such folder" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there")
def test_a_place_whose_name_is_not_utf8(
    packed, line, tmp_path, capsys, untrained
):
    """safetensors could not write it, or not read it again."""
    for out in (tmp_path / "caf\udce9", tmp_path / "caf\udce9" / "x"):
        said = fails(capsys, *add(packed, line | {"--out": out}))
        assert "not UTF-8" in said and "name another" in said
        assert "not UTF-8" in fails(capsys, "run", "miniature", "--out", out)
        assert not out.exists()


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there")
def test_a_network_whose_name_is_not_utf8(packed, line, tmp_path, capsys):
    """It is sound; only its name keeps safetensors from reading it."""
    strange = tmp_path / "caf\udce9.packnet"
    strange.write_bytes(packed.read_bytes())
    for command in (
        ("show", strange),
        ("evaluate", strange, "--task", "birds", "--data", tmp_path),
        add(strange, line),
    ):
        said = fails(capsys, *command)
        assert "not UTF-8" in said and "rename it" in said
        assert "damaged" not in said


def test_a_page_is_not_written_over_its_network(packed, capsys):
    before = packed.read_bytes()
    said = fails(capsys, "show", packed, "--html", packed)
    assert "stays as it is" in said and packed.read_bytes() == before


# What is said when something fails.


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (PermissionError(13, "Permission denied", "x"), "allow yourself"),
        (IsADirectoryError(21, "Is a directory", "x"), "name a file"),
        (FileExistsError(17, "File exists", "x"), "a file is in the way"),
        (NotADirectoryError(20, "Not a directory", "x"), "in the way"),
        (OSError(28, "No space left on device", "x"), "free some space"),
        (MemoryError(), "take fewer pictures"),
    ],
)
def test_each_failure_has_its_cure(packed, capsys, monkeypatch, error, cure):
    monkeypatch.setattr(
        "packnet_book.cli.summary", MagicMock(side_effect=error)
    )
    assert cure in fails(capsys, "show", packed)


@pytest.mark.parametrize("command", ["evaluate", "show"])
def test_what_does_not_go_on_does_not_promise_it(
    packed, line, capsys, monkeypatch, command
):
    stop = MagicMock(side_effect=KeyboardInterrupt)
    monkeypatch.setattr("packnet_book.cli.load", stop)
    monkeypatch.setattr("packnet_book.cli.summary", stop)
    words = ["--task", "one", "--data", line["--data"]]
    rest = words if command == "evaluate" else []
    said = fails(capsys, command, packed, *rest)
    assert "nothing was written" in said and "goes on" not in said


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437"])
@pytest.mark.parametrize("task", ["птицы", "鳥", "caf\udce9"])
def test_a_console_of_another_encoding(
    packed, pictures, tmp_path, monkeypatch, encoding, task
):
    network = load(packed)
    network.add_head(task, ["red", "green", "grey"])
    network.save(tmp_path / "named")
    written = BytesIO()
    stream = TextIOWrapper(written, encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["show", str(tmp_path / "named")]) == 0
    assert main(["show", str(tmp_path / "named"), "--html",
                 str(tmp_path / "page.html")]) == 0  # fmt: skip
    assert main(["evaluate", str(tmp_path / "named"), "--task", task,
                 "--data", str(pictures)]) == 0  # fmt: skip
    stream.flush()
    shown = task.encode(encoding, "backslashreplace")
    assert written.getvalue().count(shown) >= 3


def test_weights_for_another_network_than_the_presets(tmp_path, capsys):
    for option, value in (("--arch", "vgg16_bn"), ("--size", 64)):
        said = fails(capsys, "run", "miniature", "--out", tmp_path / "run",
                     option, value)  # fmt: skip
        assert "take miniature-full" in said and "name weights" in said
    assert not (tmp_path / "run").exists()
