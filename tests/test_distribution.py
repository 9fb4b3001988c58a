"""The library as it is distributed: built, installed elsewhere, used."""

import email
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import packnet_core
from bundle import bundle
from packnet_core import load
from tests.contents import CHAPTERS, ROOT
from tests.test_colab import Colab
from tests.test_project import PROJECT, tracked
from tests.test_sets import paint

BUILD = """
import sys
from setuptools.build_meta import build_sdist, build_wheel
print({"sdist": build_sdist, "wheel": build_wheel}[sys.argv[1]](sys.argv[2]))
"""
COMMANDS = """
import sys
import packnet_book, packnet_core
from packnet_book.cli import main
for package in (packnet_book, packnet_core):
    assert package.__file__.startswith(sys.prefix), package.__file__
add = ["add", "run/network.packnet", "--task", "mine", "--data", "mine",
       "--out", "five.packnet", "--prune", "0.5", "--epochs", "1"]
measure = ["evaluate", "five.packnet", "--task", "mine", "--data", "mine"]
for words in (["show", "run/network.packnet", "--html", "explorer.html"],
              add, measure, ["data", "--help"]):
    assert main(words) == 0, words
"""
CPU = "https://download.pytorch.org/whl/cpu"


def build(kind: str, source: Path, folder: Path) -> Path:
    """What a build tool asks of the project, in the present environment."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, kind, folder], cwd=source,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for path in tracked():
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return build("sdist", source, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory) -> Path:
    """Made of the source distribution, which so has all that it needs."""
    source = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as packed:
        packed.extractall(source, filter="data")
    [source] = source.iterdir()
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as packed:
        return set(packed.namelist())


def test_the_wheel_has_every_file_that_is_imported_or_read(wheel):
    inside = names(wheel)
    places = {
        "packnet_core": "packnet_core", "packnet_book": "book/packnet_book",
        "packnet_book/manifests": "data/manifests",
        "packnet_book/results": "data/results",
        "packnet_book/weights": "data/pretrained",
        "packnet_book/questions": "data/studies/questions",
    }  # fmt: skip
    for name, place in places.items():
        for path in tracked():
            if path.is_relative_to(ROOT / place):
                file = path.relative_to(ROOT / place).as_posix()
                assert f"{name}/{file}" in inside, file
    roots = {name.split("/")[0] for name in inside}
    assert {r for r in roots if "dist-info" not in r} == {
        "packnet_core", "packnet_book"
    }  # fmt: skip


def test_what_is_said_of_it_is_what_the_project_says(wheel):
    with zipfile.ZipFile(wheel) as packed:
        [name] = (n for n in packed.namelist() if n.endswith("/METADATA"))
        about = email.message_from_bytes(packed.read(name))
    assert about["Version"] == packnet_core.__version__
    assert about["License-Expression"] == "MIT"
    assert about["Requires-Python"] == PROJECT["requires-python"]
    assert "Typing :: Typed" in about.get_all("Classifier")


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """Runs the programs of an environment into which it was installed,
    which has what it requires and nothing else of the project."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", symlinks=True)
    Colab._link_packages(folder / "usual")
    scripts, packages = (
        Path(sysconfig.get_path(kind, "venv", {"base": str(folder / "env")}))
        for kind in ("scripts", "purelib")
    )
    (packages / "usual.pth").write_text(f"{folder / 'usual'}\n")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python")]
    kept = {n: v for n, v in os.environ.items() if "PYTHON" not in n}

    def run(*words: str) -> str:
        if words[0] == "pip":
            command = [*pip, *words[1:]]
        else:
            command = [str(scripts / words[0]), *words[1:]]
        done = subprocess.run(
            command, cwd=folder, env=kept, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout

    run("pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    return folder, run


def test_installed_elsewhere_every_command_works(elsewhere):
    folder, run = elsewhere
    assert "No broken requirements found" in run("pip", "check")
    table = run("packnet", "run", "miniature", "--out", "run", "--subset",
                "0.05", "--epochs", "1")  # fmt: skip
    assert table.count("packnet") == 4
    for split in ("train", "test"):
        for name, colour in (("red", (200, 30, 30)), ("blue", (9, 9, 200))):
            paint(folder / "mine" / split / name / "0.png", colour)
    printed = run("python", "-c", COMMANDS)
    assert "mine: pruned by" not in printed and "Usage: packnet data" in (
        printed
    )
    assert load(folder / "five.packnet").tasks[-1] == "mine"
    assert (folder / "explorer.html").stat().st_size > 50_000


def test_the_bundle_has_all_notebooks_and_the_library(wheel, tmp_path):
    bundle(wheel, tmp_path / "notebooks.zip")
    with zipfile.ZipFile(tmp_path / "notebooks.zip") as packed:
        assert packed.testzip() is None
        names = packed.namelist()
        packed.extractall(tmp_path)
    folder = "packnet-notebooks"
    wanted = {f"{folder}/{Path(name).name}.ipynb" for name in CHAPTERS}
    rest = {f"{folder}/README.txt", f"{folder}/{wheel.name}"}
    assert set(names) == wanted | rest
    for name in CHAPTERS:
        copy = tmp_path / folder / f"{Path(name).name}.ipynb"
        assert copy.read_bytes() == (ROOT / f"{name}.ipynb").read_bytes()
    assert wheel.name in (tmp_path / folder / "README.txt").read_text()


def make(*words: str) -> str:
    """What a command of make would do, whatever make it is run by."""
    given = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "PINS", "TORCH_INDEX"}
    done = subprocess.run(
        ["make", "-n", "-B", *words], cwd=ROOT, capture_output=True,
        text=True, check=True,
        env={n: v for n, v in os.environ.items() if n not in given},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("target", ["install", "stacks"])
def test_one_variable_names_the_index_of_torch(target):
    lines = make(target, f"TORCH_INDEX={CPU}").splitlines()
    installs = [line for line in lines if "/pip install" in line]
    assert installs
    for line in installs:
        assert f" --extra-index-url {CPU} " in line
    assert "index" not in make(target)


def test_the_workflow_tries_every_version_of_python_that_is_named():
    prefix = "Programming Language :: Python :: "
    named = [
        name.removeprefix(prefix)
        for name in PROJECT["classifiers"]
        if re.fullmatch(prefix + r"3\.\d+", name)
    ]
    workflow = yaml.safe_load(
        (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    )
    job = workflow["jobs"]["tests"]
    assert job["strategy"]["matrix"]["python"] == named
    assert named[0] == PROJECT["requires-python"].removeprefix(">=")
    assert [int(name[2:]) for name in named] == list(
        range(int(named[0][2:]), int(named[-1][2:]) + 1)
    )


def test_the_changelog_begins_with_this_version():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## ([\d.]+)", text, re.MULTILINE)
    assert versions[0] == packnet_core.__version__
    assert versions == sorted(versions, reverse=True)


def test_both_packages_say_that_they_are_typed():
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())
    told = packages["tool"]["setuptools"]["package-data"]
    for name, place in (
        ("packnet_core", "packnet_core"),
        ("packnet_book", "book/packnet_book"),
    ):
        assert told[name] == ["py.typed"]
        assert (ROOT / place / "py.typed").is_file()
