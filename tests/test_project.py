"""The project's own files agree with each other."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import packnet_core

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMMANDS = [
    "book",
    "test",
    "html",
    "pdf",
    "colab",
    "stacks",
    "links",
    "address",
    "bench",
    "clean",
]
# Written in two halves, so that this file may say them.
MACHINE = re.compile("/wo" r"rk/|/ho" r"me/|/ro" r"ot/|\.\./sha" "red")


def requirements(lines: list[str]) -> dict[str, Requirement]:
    wanted = map(Requirement, lines)
    return {canonicalize_name(r.name): r for r in wanted}


def declared() -> dict[str, Requirement]:
    extras = PROJECT["optional-dependencies"]
    return requirements(
        PROJECT["dependencies"] + extras["book"] + extras["test"]
    )


def locked(name: str = "requirements.lock") -> dict[str, Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    return requirements([x for x in lines if not x.startswith("#")])


def conda() -> tuple[str, dict[str, Requirement]]:
    """The environment's Python, and what pip installs into it."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip = (
        next(x for x in environment["dependencies"] if kind(x))
        for kind in (
            lambda x: str(x).startswith("python"),
            lambda x: isinstance(x, dict),
        )
    )
    lines = [x for x in pip["pip"] if not x.startswith("--")]
    return python, requirements(lines)


def tracked() -> list[Path]:
    """Files under version control, or about to be."""
    command = ["git", "ls-files", "-coz", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    names = done.stdout.decode().split("\0")
    return [ROOT / x for x in names if x and (ROOT / x).is_file()]


def test_the_conda_environment_asks_for_what_the_project_asks_for():
    python, packages = conda()
    assert python == f"python{PROJECT['requires-python']}"
    assert packages == declared()


def test_the_lock_pins_every_direct_dependency_within_its_range():
    pins = locked()
    for name, wanted in declared().items():
        assert name in pins, f"{name} is not in requirements.lock"
        assert wanted.specifier.contains(pin(pins[name])), name


def test_the_stacks_are_pinned_and_change_no_other_version():
    pins, more = locked(), locked("requirements-stacks.lock")
    assert not pins.keys() & more.keys()
    stacks = requirements(PROJECT["optional-dependencies"]["stacks"])
    for name, wanted in stacks.items():
        assert wanted.specifier.contains(pin((pins | more)[name])), name


@pytest.mark.parametrize("name", ["", "-stacks"])
def test_a_lock_pins_exact_versions_only(name):
    for wanted in locked(f"requirements{name}.lock").values():
        assert pin(wanted)


def pin(wanted: Requirement) -> str:
    [only] = wanted.specifier
    assert only.operator == "==" and "*" not in only.version, str(wanted)
    return only.version


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["dynamic"] == ["version"]  # that of the library
    assert str(citation["version"]) == packnet_core.__version__


def test_make_alone_lists_the_commands():
    command = ["make", "--no-print-directory"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = re.findall(r"^ +make (\w+) +\S", done.stdout, re.MULTILINE)
    assert set(COMMANDS) < set(listed)


def test_every_make_command_in_the_texts_exists():
    targets = re.findall(
        r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    for path in [*ROOT.glob("*.md"), *ROOT.glob("book/*.md")]:
        for name in re.findall(r"`make ([a-z]+)", path.read_text()):
            assert name in targets, f"{path.name}: make {name}"


def test_no_file_names_a_place_on_one_machine():
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        for match in MACHINE.finditer(text):
            place = path.relative_to(ROOT).as_posix()
            if (place, match.group()) != (".ci/run", "../sha" + "red"):
                found.append(f"{place}: {match.group()}")
    assert found == []


def test_no_photograph_no_archive_and_no_large_file_is_tracked():
    refused = {".jpg", ".jpeg", ".zip", ".tar", ".pt", ".pth", ".packnet"}
    for path in tracked():
        assert path.suffix.lower() not in refused, path
        weights = path.parent.name == "pretrained"  # the book's own
        assert path.stat().st_size < (5e6 if weights else 1.5e6), path


def test_ci_runs_the_same_commands_as_people():
    path = ROOT / ".ci" / "run"
    text = path.read_text()
    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in text
    order = ("test", "colab", "stacks")
    places = [text.index(f"\nmake {x}") for x in order]
    assert places == sorted(places)


def test_code_and_prose_have_their_licences():
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert "CC BY 4.0" in (ROOT / "LICENSE-text").read_text()
    assert PROJECT["license"] == "MIT"
