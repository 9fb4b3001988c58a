"""Two editions: no answer is left in the one, nothing else is missing."""

import json
import os
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from markdown_it import MarkdownIt

import editions
import folds
from tests.contents import CHAPTERS, ROOT

NAMES = [name.removeprefix("book/") for name in CHAPTERS]
# Written apart from `folds.py`, which is what is tested.
ANSWER = re.compile(
    r"<details>\s*<summary>(?:Solution|Answers?|Hints and a solution|What to "
    r"look at)</summary>.*?</details>",
    re.DOTALL,
)
WORTH = 15  # letters of a line that can be told from other lines


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return editions.build(tmp_path_factory.mktemp("editions"))


def cells(path) -> list[dict]:
    return json.loads(path.read_text("utf-8"))["cells"]


def texts(path) -> str:
    """The Markdown of a notebook."""
    return "\n\n".join(
        "".join(cell["source"])
        for cell in cells(path)
        if cell["cell_type"] == "markdown"
    )


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", NAMES)
def test_no_solution_is_left_for_students(made, name):
    whole = texts(made["teacher"] / f"{name}.ipynb")
    answers = ANSWER.findall(whole)
    assert answers
    code = [
        "".join(cell["source"])
        for cell in cells(made["teacher"] / f"{name}.ipynb")
        if cell["cell_type"] == "code"
    ]
    elsewhere = "\n".join([ANSWER.sub("", whole), *code])
    student = (made["student"] / f"{name}.ipynb").read_text("utf-8")
    shown = texts(made["student"] / f"{name}.ipynb")
    for answer in answers:
        assert answer not in shown
        own = [
            line
            for line in lines(answer)
            if len(line) >= WORTH and line not in elsewhere
        ]
        assert own, answer
        for line in own:
            assert json.dumps(line, ensure_ascii=False)[1:-1] not in student
    html = MarkdownIt("commonmark").render(shown)
    assert not re.search("<summary>[^<]*(olution|nswer)", html)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_answers_is_taken_from_students(made, name):
    teacher = made["teacher"] / f"{name}.ipynb"
    student = made["student"] / f"{name}.ipynb"
    assert lines(texts(student)) == lines(ANSWER.sub("", texts(teacher)))
    code = [
        [cell for cell in cells(path) if cell["cell_type"] == "code"]
        for path in (teacher, student)
    ]
    assert code[0] == code[1] != []
    kept = {cell["id"] for cell in cells(student)}
    gone = [c for c in cells(teacher) if c["id"] not in kept]
    for cell in gone:
        assert not lines(ANSWER.sub("", "".join(cell["source"])))


def test_a_page_that_is_handed_out_asks_for_nothing_that_sphinx_makes(made):
    for edition, folder in made.items():
        written = [*folder.glob("*.md")]
        assert len(written) > 4
        for path in written:
            text = path.read_text("utf-8")
            assert "```{" not in text, (edition, path.name)
    assert "rendered book" in (made["student"] / "peers.md").read_text(
        "utf-8"
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_teachers_notebook_is_that_of_the_book(made, name):
    def plain(path):
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            text = "".join(cell["source"])
            text = re.sub(r"%pip install --quiet .*", "INSTALL", text)
            cell["source"] = re.sub(r"\]\(([\w.]+)\)", "](LINK)", text)
        return notebook

    teacher = plain(made["teacher"] / f"{name}.ipynb")
    assert teacher == plain(ROOT / "book" / f"{name}.ipynb")
    nbformat.validate(nbformat.from_dict(teacher))


@pytest.mark.parametrize("name", NAMES)
def test_every_question_of_a_self_test_has_its_answer(made, name):
    whole = texts(made["teacher"] / f"{name}.ipynb")
    found = re.search(r"^## Self-test\n(.*?)(?=^## |\Z)", whole, re.M | re.S)
    if name == "prerequisites":  # its ten answers stand in one fold
        assert "<summary>Answers</summary>" in whole
        return
    if found is None:
        pytest.fail("no self-test")
    questions = re.findall(r"^\*\*", ANSWER.sub("", found[1]), re.M)
    assert len(ANSWER.findall(found[1])) == len(questions) >= 2


@pytest.mark.parametrize(
    "text, why",
    [
        ("<details>\n<summary>Secret</summary>\n\n3\n\n</details>", "Secret"),
        ("<details>\n<summary>Solution</summary>\n\n3", "not closed"),
        ("three</details>", "or none"),
        ("<details><summary>Hint</summary><details>", "inside another"),
    ],
)
def test_a_fold_that_is_not_understood_is_refused(text, why):
    with pytest.raises(folds.BadFold, match=why):
        folds.folds(text)


def test_hints_stay_and_code_is_no_fold():
    text = (
        "a\n\n<details>\n<summary>Hint</summary>\n\nb\n\n</details>\n\n"
        "```\n<details>\n```\n\n<details><summary>Answer</summary>\n\nc\n"
        "</details>\n\nd"
    )
    assert [f.summary for f in folds.folds(text)] == ["Hint", "Answer"]
    student = editions.EDITIONS["student"](text)
    assert student == text.partition("<details><summary>")[0] + "d"


@pytest.mark.parametrize("edition", editions.EDITIONS)
def test_an_edition_is_whole_in_itself(made, edition):
    folder = made[edition]
    assert {p.stem for p in folder.glob("*.ipynb")} == set(NAMES)
    [library] = folder.glob("*.whl")
    names = {path.name for path in folder.iterdir()}
    for path in (*folder.glob("*.ipynb"), *folder.glob("*.md")):
        text = path.read_text("utf-8")
        prose = texts(path) if path.suffix == ".ipynb" else text
        for link in re.findall(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)", prose):
            assert link in names, f"{path.name}: {link}"
        assert "git+" not in text or path.suffix == ".md"
        if path.suffix == ".ipynb":
            assert f'./{library.name}\\"' in text
    assert library.name in (folder / "README.md").read_text()
    with zipfile.ZipFile(folder.with_suffix(".zip")) as packed:
        inside = {n for n in packed.namelist() if not n.endswith("/")}
    assert inside == {f"{edition}/{name}" for name in names}


def test_a_notebook_without_its_install_cell_is_refused():
    notebook = {"cells": [{"cell_type": "code", "source": ["x = 1"]}]}
    with pytest.raises(editions.BadChapter, match="0 cells"):
        editions.edited(notebook, str, "x.whl")


def test_a_student_notebook_runs_in_its_folder(made, tmp_path):
    folder = made["student"]
    [library] = folder.glob("*.whl")
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    place = tmp_path / "library"  # in place of the environment's own
    command = [sys.executable, *pip, "--target", str(place), str(library)]
    subprocess.run(command, check=True)
    run = (
        "import sys, nbformat\n"
        "from nbclient import NotebookClient\n"
        "nb = nbformat.read('prerequisites.ipynb', 4)\n"
        "where = 'import packnet_book; print(packnet_book.__file__)'\n"
        "nb.cells.append(nbformat.v4.new_code_cell(where))\n"
        "NotebookClient(nb, kernel_name='python3', timeout=600).execute()\n"
        "print(nb.cells[-1].outputs[0].text)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=folder, text=True,
        capture_output=True, env={**os.environ, "PYTHONPATH": str(place)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(place))
