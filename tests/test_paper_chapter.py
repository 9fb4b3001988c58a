"""The commands that *At the paper's scale* prints are understood."""

import re
import shlex
from unittest.mock import MagicMock

import nbformat
import pytest
from accelerate.commands.launch import launch_command_parser

from packnet_book.cli import main
from tests.contents import ROOT

BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
CHAPTER = nbformat.read(ROOT / "book" / "paper_scale.ipynb", as_version=4)
COMMANDS = [
    line
    for cell in CHAPTER.cells
    if cell.cell_type == "markdown"
    for block in BLOCK.findall(cell.source)
    for line in block.splitlines()
]


def test_there_are_commands_for_one_card_and_for_several():
    assert any(line.startswith("packnet run paper") for line in COMMANDS)
    assert sum("--num_machines 2" in line for line in COMMANDS) == 2


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_chapter_is_understood(line, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sets").mkdir()
    program, *words = shlex.split(line)
    if program == "accelerate":
        launch, *words = words
        assert launch == "launch"
        given = launch_command_parser().parse_args(words)
        assert given.module and given.training_script == "packnet_book"
        words = given.training_script_args
    else:
        assert program == "packnet"
    for work in ("Run", "fetch", "summary"):
        monkeypatch.setattr(f"packnet_book.cli.{work}", MagicMock())
    assert main(words) == 0
