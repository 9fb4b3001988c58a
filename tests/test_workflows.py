"""The workflows call what is there, and a fork can use them as they are."""

import re
import runpy

import pytest
import yaml

from tests.contents import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {p.stem: p.read_text() for p in sorted(FOLDER.glob("*.yml"))}
MAKEFILE = (ROOT / "Makefile").read_text()
KNOWN = {  # each major version exists
    "actions/checkout@v6",
    "actions/setup-python@v6",
    "actions/upload-pages-artifact@v4",
    "actions/deploy-pages@v5",
}
FREEZE = """\
# generated
accelerate==1.15.0
google-colab @ file:///colabtools/dist/google-colab-1.0.0.tar.gz
numpy==2.0.2
Pillow==11.3.0
sphinx==8.2.3
torch @ https://x.org/cu126/torch-2.8.0%2Bcu126-cp312-cp312-linux.whl#sha256=0
torchvision==0.23.0+cu126
"""


def jobs(name):
    return yaml.safe_load(WORKFLOWS[name])["jobs"]


def steps(name):
    return [step for job in jobs(name).values() for step in job["steps"]]


def test_there_are_tests_a_page_and_a_weekly_run():
    assert set(WORKFLOWS) == {"tests", "page", "weekly"}
    triggers = {n: yaml.safe_load(t)[True] for n, t in WORKFLOWS.items()}
    assert {"push", "pull_request"} <= set(triggers["tests"])
    assert "push" in triggers["page"]
    [time] = triggers["weekly"]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", time["cron"])


@pytest.mark.parametrize("name", WORKFLOWS)
def test_what_a_workflow_calls_exists(name):
    for step in steps(name):
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert step["uses"] in KNOWN
        for target in re.findall(r"\bmake ([a-z]+)", step.get("run", "")):
            assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
        for path in re.findall(
            r"\.ci/\w[\w.]*|tests/\w[\w.]*", step.get("run", "")
        ):
            assert (ROOT / path).is_file(), path
        made = step.get("with", {}).get("cache-dependency-path")
        assert made is None or (ROOT / made).is_file()


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_fork_can_use_a_workflow_as_it_is(name):
    text = WORKFLOWS[name]
    assert "secrets." not in text
    assert "_owner_" not in text and "repository_owner" not in text
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes" if "needs" not in job else "if"]


def test_only_where_pages_are_switched_on_is_the_page_published():
    publish = jobs("page")["publish"]
    assert publish["if"] == "github.event.repository.has_pages"
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    runs = [step.get("run", "") for step in steps("page")]
    assert runs.index("make pdf") > next(
        place for place, run in enumerate(runs) if "make address" in run
    )


def test_colabs_list_becomes_constraints_on_what_the_library_needs():
    script = runpy.run_path(str(ROOT / ".ci" / "colab_versions.py"))
    assert script["constraints"](FREEZE) == [
        "accelerate==1.15.0",
        "numpy==2.0.2",
        "pillow==11.3.0",
        "torch==2.8.0",
        "torchvision==0.23.0",
    ]


def test_a_list_without_torch_is_refused(tmp_path, capsys):
    script = runpy.run_path(str(ROOT / ".ci" / "colab_versions.py"))
    freeze = tmp_path / "pip-freeze.txt"
    freeze.write_text("numpy==2.0.2\n")
    assert script["main"]([str(freeze)]) == 1
    assert "no torch" in capsys.readouterr().err
