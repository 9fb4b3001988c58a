"""The self-tests as files that learning platforms import."""

import io
import re
import subprocess
import sys
import zipfile
from collections import Counter
from xml.etree import ElementTree as ET

import pytest

import platforms
import questions
from browser import BUILT
from questions import Choice, Question, Quiz
from tests.contents import ROOT

QUIZZES = list(questions.quizzes().values())
ASKED = [(quiz, asked) for quiz in QUIZZES for asked in quiz.questions]
SPACE = {"q": platforms.ITEM, "p": platforms.PACKAGE}
ODD = Quiz(
    "limits",
    (
        Question(
            "odd",
            'Is `a < b` & "c" > $x_1 \\le 1$, or [not](glossary.md#not)?',
            "Yes.",
            (
                Choice("`x` < 1 & *so*", "$\\log_2 T$ > 0", True),
                Choice("No", "]]> is no end"),
            ),
        ),
        Question("open", "Why?", "Because `<`.", ()),
    ),
    (),
)


@pytest.fixture(scope="module")
def moodle() -> ET.Element:
    return ET.fromstring(platforms.moodle(QUIZZES))


@pytest.fixture(scope="module")
def package() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(platforms.qti(QUIZZES)))


def text(element: ET.Element | None) -> str:
    assert element is not None
    return element.findtext("text") or ""


def shown(markup: str) -> str:
    """The text of HTML, which has to be well-formed."""
    return "".join(ET.fromstring(f"<x>{markup}</x>").itertext())


def test_moodle_gets_every_question_in_the_category_of_its_chapter(moodle):
    found: dict[str, list[str]] = {}
    for entry in moodle:
        if entry.get("type") == "category":
            place = found.setdefault(text(entry.find("category")), [])
        else:
            place.append(entry.findtext("idnumber"))
    assert found == {
        f"$course$/top/PackNet/{platforms.title(quiz.chapter)}": [
            platforms.name(quiz, asked) for asked in quiz.questions
        ]
        for quiz in QUIZZES
    }
    numbers = Counter(n for listed in found.values() for n in listed)
    assert max(numbers.values()) == 1


def test_moodle_gets_one_right_answer_and_a_reason_for_each(moodle):
    kinds = Counter()
    for entry in moodle.iterfind("question"):
        kind = entry.get("type")
        kinds[kind] += 1
        if kind == "category":
            continue
        assert 0 < len(text(entry.find("name"))) < 100
        for part in ("questiontext", "generalfeedback"):
            assert shown(text(entry.find(part))).strip()
        answers = entry.findall("answer")
        if kind == "essay":
            assert not answers and shown(text(entry.find("graderinfo")))
            continue
        assert kind == "multichoice" and entry.findtext("single") == "true"
        fractions = sorted(answer.get("fraction") for answer in answers)
        assert fractions == ["0"] * (len(answers) - 1) + ["100"]
        for answer in answers:
            assert shown(text(answer)).strip()
            assert shown(text(answer.find("feedback"))).strip()
    chosen = sum(bool(asked.choices) for _, asked in ASKED)
    assert kinds == {
        "category": len(QUIZZES),
        "multichoice": chosen,
        "essay": len(ASKED) - chosen,
    }


def test_the_right_answer_is_the_one_of_the_quiz(moodle, package):
    for quiz, asked in ASKED:
        if not asked.choices:
            continue
        [right] = [c.text for c in asked.choices if c.right]
        wanted = platforms.markup(right, inline=True)
        number = platforms.name(quiz, asked)
        [entry] = [q for q in moodle if q.findtext("idnumber") == number]
        [told] = [a for a in entry.iterfind("answer")
                  if a.get("fraction") == "100"]  # fmt: skip
        assert text(told) == wanted
        item = ET.fromstring(package.read(f"items/{number}.xml"))
        key = item.findtext(".//q:correctResponse/q:value", None, SPACE)
        [option] = item.findall(
            f".//q:simpleChoice[@identifier='{key}']", SPACE
        )
        assert "".join(option.itertext()) == shown(wanted)


def test_a_package_of_qti_is_complete(package):
    manifest = ET.fromstring(package.read("imsmanifest.xml"))
    listed = [
        resource.get("href")
        for resource in manifest.iterfind(".//p:resource", SPACE)
    ]
    assert sorted(["imsmanifest.xml", *listed]) == sorted(package.namelist())
    assert len(listed) == len(ASKED)
    assert package.testzip() is None


@pytest.mark.parametrize(("quiz", "asked"), ASKED,
                         ids=[a.id for _, a in ASKED])  # fmt: skip
def test_an_item_of_qti_has_a_choice_and_feedback_for_each(
    package, quiz, asked
):
    item = ET.fromstring(
        package.read(f"items/{platforms.name(quiz, asked)}.xml")
    )
    assert item.tag == f"{{{platforms.ITEM}}}assessmentItem"
    options = [
        option.get("identifier")
        for option in item.iterfind(".//q:simpleChoice", SPACE)
    ]
    feedback = [
        told.get("identifier")
        for told in item.iterfind("q:modalFeedback", SPACE)
    ]
    assert options == feedback and len(options) == len(asked.choices)
    right = [v.text for v in item.iterfind(".//q:value", SPACE)]
    assert len(right) == bool(asked.choices) and set(right) <= set(options)
    order = [part.tag.partition("}")[2] for part in item]
    known = ["responseDeclaration", "outcomeDeclaration", "itemBody",
             "responseProcessing", "modalFeedback"]  # fmt: skip
    assert order == sorted(order, key=known.index)


def test_no_markup_of_markdown_is_left(moodle):
    for entry in moodle.iter("text"):
        said = re.sub(r"\\\(.*?\\\)", "", entry.text or "")
        said = said.removeprefix("$course$")
        assert not re.search(r"\]\(|\*\*|`|\$", said), said


def test_what_is_odd_is_escaped():
    root = ET.fromstring(platforms.moodle([ODD]))
    asked = text(root.findall("question")[1].find("questiontext"))
    assert shown(asked) == (
        "Is a < b & “c” > \\(x_1 \\le 1\\), or not?"
    )  # fmt: skip
    assert "<code>a &lt; b</code> &amp;" in asked
    package = zipfile.ZipFile(io.BytesIO(platforms.qti([ODD])))
    item = ET.fromstring(package.read("items/packnet-limits-odd.xml"))
    [first, _] = item.iterfind(".//q:simpleChoice", SPACE)
    assert "".join(first.itertext()) == "x < 1 & so"
    told = item.findall("q:modalFeedback", SPACE)
    assert "".join(told[0].itertext()) == "\\(\\log_2 T\\) > 0"
    assert "".join(told[1].itertext()) == "]]> is no end"


def test_the_same_questions_make_the_same_files():
    assert platforms.qti([ODD]) == platforms.qti([ODD])
    assert platforms.moodle([ODD]) == platforms.moodle([ODD])


def test_the_command_writes_both_files(tmp_path):
    done = subprocess.run(
        [sys.executable, "book/tools/platforms.py", "--out", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    files = [tmp_path / platforms.MOODLE, tmp_path / platforms.QTI]
    assert done.stdout.split() == [str(file) for file in files]
    assert files[0].read_bytes() == platforms.moodle(QUIZZES)
    assert zipfile.is_zipfile(files[1])


def test_the_page_for_teachers_leads_to_both(book):
    page = (BUILT / "book" / "teaching.html").read_text("utf-8")
    for file in (platforms.MOODLE, platforms.QTI):
        assert f'href="../quizzes/{file}"' in page
        assert (platforms.OUT / file).is_file()
