"""The repository's address: one setting, everywhere the same."""

import json
import re
import shutil
import subprocess
import sys

import pytest

import address
from address import BadAddress, put, setting, site
from tests.contents import CHAPTERS, ROOT
from tests.test_project import tracked

MINE = "https://github.com/Some-One/their.book"


@pytest.fixture
def copy(tmp_path):
    """The files that can hold the address, in another place."""
    for place in address.PLACES:
        for path in ROOT.glob(place):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(exist_ok=True)
            shutil.copy(path, target)
    return tmp_path


def contents(root):
    files = [p for p in root.rglob("*") if p.is_file()]
    return {p.relative_to(root): p.read_bytes() for p in files}


def outputs(root):
    return {
        path.name: [
            cell.get("outputs")
            for cell in json.loads(path.read_text("utf-8"))["cells"]
        ]
        for path in root.glob("book/*.ipynb")
    }


def test_every_file_has_the_address_that_is_set():
    slug = "/".join(address.parts(setting()))
    stale = re.compile(  # another's; "me" is the example in texts
        rf"(?!{re.escape(slug)}\b|me/)[\w.-]+/packnet-book\b"
    )
    seen = set()
    for path in tracked():
        place = path.relative_to(ROOT)
        if place.parts[0] == "tests" or place.name == "address.py":
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        for match in re.finditer(address.BEFORE + r"(\S+)", text):
            assert not stale.match(match[2]), f"{place}: {match[0]}"
            if match[2].startswith(slug):
                seen.add(place.as_posix())
        if "_owner_" not in slug:
            assert "_owner_/packnet-book" not in text, place
            assert "://_owner_." not in text, place
    assert seen >= {"_config.yml", "CITATION.cff"}
    readme = (ROOT / "README.md").read_text("utf-8")
    assert address.badges(setting()) in readme
    assert seen >= {f"{name}.ipynb" for name in CHAPTERS}


def test_one_command_sets_it_everywhere_and_no_output_changes(copy):
    before = outputs(copy)
    old = "/".join(address.parts(setting(copy)))
    put(MINE, copy)
    assert setting(copy) == MINE
    assert outputs(copy) == before
    for place, content in contents(copy).items():
        text = content.decode("utf-8")
        assert old not in text and site(setting()) not in text, place
    for path in copy.glob("book/*.ipynb"):
        assert f"git+{MINE}" in path.read_text("utf-8")
    assert f"url: {MINE}\n" in (copy / "_config.yml").read_text("utf-8")
    assert f"baseurl: {site(MINE)}" in (copy / "_config.yml").read_text()


def badge_links(copy):
    text = (copy / "README.md").read_text("utf-8")
    return re.findall(r"\[!\[Open in (\w+)\]\(\S+\)\]\((\S+)\)", text)


def test_badges_are_there_while_an_address_is_set(copy):
    put(address.PLACEHOLDER, copy)
    readme = (copy / "README.md").read_text("utf-8")
    assert badge_links(copy) == [] and "_owner_." not in readme
    assert "github.com/_owner_" not in readme and "/gh/" not in readme
    for mine in (MINE, "https://github.com/me/other"):
        put(mine, copy)
        name, file = mine.removeprefix("https://github.com/"), address.OPENED
        assert badge_links(copy) == [
            ("Colab", "https://colab.research.google.com/github/"
             f"{name}/blob/main/{file}"),
            ("Kaggle", "https://kaggle.com/kernels/welcome?src="
             f"{mine}/blob/main/{file}"),
            ("Binder", f"https://mybinder.org/v2/gh/{name}/main"
             f"?urlpath=lab/tree/{file}"),
        ]  # fmt: skip
        text = (copy / "README.md").read_text("utf-8")
        assert f"[Read it]({site(mine)})" in text
    assert (ROOT / address.OPENED).is_file()
    put(address.PLACEHOLDER, copy)
    assert (copy / "README.md").read_text("utf-8") == readme


def test_setting_it_twice_changes_nothing_and_back_is_back(copy):
    first, before = setting(copy), contents(copy)
    assert put(MINE, copy) != []
    after = contents(copy)
    assert put(MINE, copy) == []
    assert contents(copy) == after
    put(first, copy)
    assert contents(copy) == before


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "me/packnet-book",
        "http://github.com/me/packnet-book",
        "https://gitlab.com/me/packnet-book",
        "https://github.com/me",
        "https://github.com/me/packnet-book/",
        "https://github.com/me/packnet-book.git",
        "https://github.com/me/packnet-book/tree/main",
        "https://github.com/-me/packnet-book",
        "https://github.com/m--e/packnet-book",
        "https://github.com/_me_/packnet-book",
        "https://github.com/me/..",
        "https://github.com/me/packnet-book\n",
        'https://github.com/me/"; rm',
    ],
)
def test_what_is_no_address_is_refused_and_nothing_is_changed(copy, wrong):
    before = contents(copy)
    with pytest.raises(BadAddress, match="is no address"):
        put(wrong, copy)
    assert contents(copy) == before


def test_an_address_that_was_put_out_stays(copy):
    path = copy / f"{CHAPTERS[0]}.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    code = next(c for c in notebook["cells"] if c["cell_type"] == "code")
    code["outputs"] = [
        {"name": "stdout", "output_type": "stream", "text": setting(copy)}
    ]
    path.write_text(json.dumps(notebook), "utf-8")
    before = outputs(copy)
    put(MINE, copy)
    assert outputs(copy) == before
    assert f"git+{MINE}" in path.read_text("utf-8")


def test_a_similar_address_is_left_alone(copy):
    readme = copy / "README.md"
    other = f"{setting(copy)}-slides and x.{setting(copy)[8:]}s"
    readme.write_text(other)
    put(MINE, copy)
    assert readme.read_text() == other


def test_pages_lie_where_github_puts_them():
    assert site(MINE) == "https://some-one.github.io/their.book/"
    own = "https://github.com/Some-One/some-one.github.io"
    assert site(own) == "https://some-one.github.io/"


def test_the_command_says_what_is_wrong():
    command = [sys.executable, str(ROOT / "book" / "tools" / "address.py")]
    for arguments, status in [([], 2), (["github.com/me/book"], 1)]:
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True
        )
        assert done.returncode == status
        assert len(done.stderr.splitlines()) == 1
