"""Every chapter as Colab runs it: alone, the library not yet installed.

An environment has torch and the usual packages, but not `packnet_core`.
A folder holds one notebook and nothing else. The notebook's own first
cell installs the library: the line is run as it stands, and git is told
to take the repository from this checkout (its last commit).

Takes as long as the chapters do, less the networks that are at hand in
`PACKNET_CACHE`; so it runs when asked for: `make colab`.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import nbformat
import pytest

from address import setting
from tests.contents import CHAPTERS, ROOT

TIMEOUT = 2400  # seconds a cell
EXECUTE = f"""
import sys
from nbclient.cli import main
main(["--inplace", "--timeout={TIMEOUT}", *sys.argv[1:]])
"""
PLACE = """
import json
from importlib.metadata import distribution
import packnet_core
from packnet_book.runs.runner import kept_place
from packnet_book.runs.presets import preset
print(json.dumps([
    packnet_core.__file__,
    json.loads(distribution("packnet-core").read_text("direct_url.json")),
    str(kept_place(preset("miniature"), seed=0)),
]))
"""

pytestmark = pytest.mark.skipif(
    "PACKNET_COLAB" not in os.environ,
    reason="takes as long as the chapters: `make colab`",
)


class Colab:
    """A machine of Colab's, as far as a notebook can tell."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.python = folder / "env" / "bin" / "python"
        venv.create(folder / "env", with_pip=True)
        usual = folder / "usual"
        self._link_packages(usual)
        [site] = folder.glob("env/lib/python*/site-packages")
        site.joinpath("usual.pth").write_text(f"{usual}\n")
        configuration = folder / "gitconfig"
        configuration.write_text(
            f'[url "{ROOT.as_uri()}"]\n  insteadOf = {setting()}\n'
            f"[safe]\n  directory = {ROOT}\n  directory = {ROOT}/.git\n"
        )
        self.environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": str(configuration),
            "JUPYTER_DATA_DIR": str(folder / "jupyter"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        for name in ("PYTHONPATH", "VIRTUAL_ENV", "JUPYTER_PATH"):
            self.environment.pop(name, None)

    @staticmethod
    def _link_packages(usual: Path) -> None:
        """What is installed here, but for the library, to be imported.

        Links outside the environment, so that pip finds the packages and
        never changes one.
        """
        usual.mkdir()
        for place in dict.fromkeys(map(Path, sys.path)):
            if place.name not in ("site-packages", "dist-packages"):
                continue
            for entry in place.iterdir():
                link = usual / entry.name
                ours = "packnet" in entry.name
                if not ours and entry.suffix != ".pth" and not link.exists():
                    link.symlink_to(entry)

    def run(self, *command: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            [self.python, *command],
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def has_library(self) -> bool:
        found = (
            "import importlib.util as u; print(u.find_spec('packnet_core'))"
        )
        return self.run("-c", found).strip() != "None"

    def forget_library(self) -> None:
        self.run("-m", "pip", "uninstall", "--yes", "--quiet", "packnet-core")


@pytest.fixture(scope="module")
def colab(tmp_path_factory) -> Colab:
    return Colab(tmp_path_factory.mktemp("colab"))


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_alone_and_installs_the_library(colab, name, tmp_path):
    chapter = ROOT / f"{name}.ipynb"
    alone = tmp_path / chapter.name
    nbformat.write(cleared(nbformat.read(chapter, as_version=4)), alone)
    if colab.has_library():
        colab.forget_library()
    assert not colab.has_library()
    assert colab.run("-c", "import torch; print(torch.ones(1))")
    colab.run("-c", EXECUTE, alone.name, folder=tmp_path)
    cells = [
        cell
        for cell in nbformat.read(alone, as_version=4).cells
        if cell.cell_type == "code"
    ]
    assert [c.execution_count for c in cells] == list(
        range(1, len(cells) + 1)
    )
    assert sorted(tmp_path.iterdir()) == [alone]
    file, origin, kept = json.loads(colab.run("-c", PLACE))
    assert Path(file).is_relative_to(colab.folder / "env")
    assert origin["url"] == setting()
    assert origin["vcs_info"]["commit_id"] == head()
    if not changed():  # the installed copy shares what was trained here
        assert kept == kept_here()


def cleared(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without what was stored, so that what is there was made just now."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def head() -> str:
    return git("rev-parse", "HEAD")


def changed() -> str:
    return git(
        "status", "--porcelain", "--", "packnet_core", "book/packnet_book"
    )


def kept_here() -> str:
    from packnet_book.runs.presets import preset
    from packnet_book.runs.runner import kept_place

    return str(kept_place(preset("miniature"), seed=0))
