"""Questions, choices and predictions: they fit the chapters and records."""

import re
import tomllib
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

import boxes
import evidence
import questions
import quizzes
import recorded_truths
import truths
from evidence import NoTruth
from questions import BadQuiz, Prediction, Quiz, Slider
from tests.contents import CHAPTERS
from tests.test_delivery import paragraph, raw

QUIZZES = questions.quizzes()
ASKED = [
    (name, asked)
    for name, quiz in QUIZZES.items()
    for asked in quiz.questions
]
CHOSEN = [asked for _, asked in ASKED if asked.choices]
PREDICTED = [
    (name, asked)
    for name, quiz in QUIZZES.items()
    for asked in quiz.predictions
]


def name(param) -> str:
    return param if isinstance(param, str) else param.id


def test_every_chapter_has_something_to_answer():
    assert {f"book/{chapter}" for chapter in QUIZZES} == set(CHAPTERS)
    assert all(quiz.questions for quiz in QUIZZES.values())


@pytest.mark.parametrize(("chapter", "asked"), ASKED, ids=name)
def test_every_choice_has_its_reason(chapter, asked):
    assert asked.answer and "<details>" not in asked.text + asked.answer
    assert all(choice.text and choice.why for choice in asked.choices)
    texts = [questions.plain(choice.text) for choice in asked.choices]
    assert len(set(texts)) == len(texts)
    if not asked.choices:
        return
    assert sum(choice.right for choice in asked.choices) == 1


def test_the_right_choice_is_given_away_by_neither_place_nor_length():
    """Where it stands, and how long it is, must not tell the right one."""
    of_four = [asked for asked in CHOSEN if len(asked.choices) == 4]
    assert len(of_four) > 0.8 * len(CHOSEN)
    places = [
        [choice.right for choice in asked.choices].index(True)
        for asked in of_four
    ]
    for place in range(4):
        assert 0.12 < places.count(place) / len(places) < 0.4
    longest = [
        max(asked.choices, key=lambda choice: len(choice.text)).right
        for asked in CHOSEN
    ]
    assert sum(longest) / len(longest) < 0.4


SOURCE = """
[[question]]
id = "one"
begins = "Why is it so"
[[question.choice]]
text = "Because."
why = "Yes."
right = true
[[question.choice]]
text = "By chance."
why = "No."

[[prediction]]
id = "two"
box = "Predict"
slider = { least = 0, most = 10, step = 1 }
printed = 'found ([0-9.]+)'
"""
SELF_TEST = "## Self-test\n\n**1.** Why is it so?\n\n<details>\n" \
    "<summary>Answer</summary>\n\nBecause.\n\n</details>\n"  # fmt: skip


@pytest.fixture
def chapter(monkeypatch, tmp_path):
    """Makes the quiz of a chapter with one question from a source."""

    def made(source: str, prose: str = SELF_TEST) -> Quiz:
        notebook = tmp_path / "some.ipynb"
        cell = {"cell_type": "markdown", "source": prose}
        notebook.write_text(questions.json.dumps({"cells": [cell]}))
        monkeypatch.setattr(questions.toc, "source", lambda page: notebook)
        monkeypatch.setattr(questions, "QUIZZES", tmp_path)
        if source:
            (tmp_path / "some.toml").write_text(source)
        return questions.quiz.__wrapped__("some")

    return made


def test_a_quiz_takes_question_and_answer_from_the_chapter(chapter):
    made = chapter(SOURCE)
    assert made.questions[0].text == "Why is it so?"
    assert made.questions[0].answer == "Because."
    assert made.entries == 2


BAD = {
    "is missing": lambda s: "",
    "unknown": lambda s: s.replace("[[prediction]]", "[[guess]]"),
    "0 questions": lambda s: s.replace("Why is it", "Why was it"),
    "0 right answers": lambda s: s.replace("right = true", ""),
    "2 right answers": lambda s: s.replace('"No."', '"No."\nright = true'),
    "among 1": lambda s: re.sub(
        r'\[\[question.choice\]\]\ntext = "By(.|\n)*?"No."', "", s
    ),
    "is open, or": lambda s: s.replace(
        'id = "one"', 'id = "one"\nopen = true'
    ),
    "is there twice": lambda s: s.replace('id = "two"', 'id = "one"'),
    "needs one of": lambda s: s.replace("printed =", "said ="),
    "choices, order, slider": lambda s: s + "choices = ['a', 'b']",
}


@pytest.mark.parametrize("fault", BAD)
def test_a_quiz_with_a_fault_is_refused(chapter, fault):
    with pytest.raises(BadQuiz, match=fault):
        chapter(BAD[fault](SOURCE))


def test_a_question_that_a_quiz_leaves_out_is_named(chapter):
    more = SELF_TEST.replace("**1.** Why", "**2.** And why")
    with pytest.raises(BadQuiz, match="nothing about 'And why is it so"):
        chapter(SOURCE, SELF_TEST + more.removeprefix("## Self-test"))


@pytest.mark.parametrize(("chapter", "asked"), PREDICTED, ids=name)
def test_every_prediction_has_a_truth(chapter, asked):
    found = truths.truth(chapter, asked)
    said = asked.said.format(**found.facts)
    assert "nan" not in said.split() and "{" not in said


@pytest.mark.parametrize(("chapter", "asked"), PREDICTED, ids=name)
def test_no_measured_number_is_typed(chapter, asked):
    """A number that a run may change comes from records or outputs."""
    if asked.slider or asked.order:
        assert asked.right is None
    if re.search(r"\d+\.\d", re.sub(r"\{.*?\}", "", asked.said)):
        assert asked.truth  # shares of the method: the number is computed
        assert asked.truth["is"] in ("own_of_seen", "who_loses")


def asked(**more) -> Prediction:
    return Prediction("x", "Predict", **more)


LINE = Slider(0, 10, 1)
LIES = {
    "none of its choices": asked(choices=("a", "b"), right="c"),
    "not on its slider": asked(slider=LINE, right=11),
    "what it orders": asked(order=("a", "b"), truth={"is": "three_ways"}),
    "prints nothing like": asked(slider=LINE, printed="no such (words)"),
    "share": asked(slider=LINE, right=1, said="{share} %"),
    "nobody": asked(slider=LINE, truth={"is": "nobody"}),
}


@pytest.mark.parametrize("fault", LIES)
def test_a_truth_that_cannot_be_had_is_refused(fault):
    with pytest.raises(NoTruth, match=fault):
        truths.truth("step_by_step", LIES[fault])


def prediction(chapter: str, wanted: str) -> Prediction:
    return next(x for c, x in PREDICTED if (c, x.id) == (chapter, wanted))


def test_a_truth_follows_the_records(monkeypatch):
    who = prediction("error_table", "three-quarters-freed")
    before = truths.truth("error_table", who)
    assert before.right == "objects loses, the added tasks gain"
    table = recorded_truths.recorded

    def turned(study):
        found = table(study)
        if study == "higher":
            found = found.assign(top1_error=30 - found.top1_error)
        return found

    monkeypatch.setattr(recorded_truths, "recorded", turned)
    after = truths.truth("error_table", who)
    assert (after.right, after.facts) != (before.right, before.facts)


def test_a_truth_follows_what_is_printed(monkeypatch):
    text = "objects, pruned:  58.7 % wrong"
    monkeypatch.setattr(evidence, "printed", lambda chapter: text)
    wanted = prediction("from_scratch", "three-quarters-freed")
    assert truths.truth("from_scratch", wanted).right == 58.7


AGREE = [
    # what a record gives, and where the chapter prints it
    ("error_table", "half-lost",
     r"half of the rise is there after (\d+) of"),
    ("error_table", "packed-share", r"vgg16: packed ([\d.]+)% of apart"),
    ("lifelong_learning", "after-flowers",
     r"objects +when learnt [\d. ±]+ %, at the end ([\d.]+) "),
    ("your_own_task", "share-of-the-new-task",
     r"all +(?:[\d.]+ +){6}([\d.]+)"),
    ("what_if", "last-of-ten", r"flowers 1 recoloured: packnet ([\d.]+)"),
    ("limits", "none-at-one-half", r"task (\d+) keeps none"),
    ("limits", "none-at-nine-tenths", r"0\.90 +(\d+) *\nclassifier"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("chapter", "wanted", "line"), AGREE, ids=[w for _, w, _ in AGREE]
)
def test_a_truth_is_what_the_chapter_prints(chapter, wanted, line):
    found = truths.truth(chapter, prediction(chapter, wanted))
    told = float(evidence.found_in(chapter, line)[1])
    assert found.right == pytest.approx(told, abs=0.051)


def test_the_order_of_methods_is_the_one_that_is_printed():
    for on, line in (("objects", "objects"), ("added", "added tasks")):
        found = recorded_truths.order_of_methods(on).right
        told = evidence.found_in(
            "error_table", rf"(?m)^{line}: (joint|individual)(.*)$"
        )
        order = re.findall(r"([a-z-]+(?: 0\.75)?) [\d.]+", told[1] + told[2])
        order = [method for method in order if method != "packnet 0.75"]
        # equal errors may stand in either order
        assert {m: order.index(m) for m in found if m in order[3:]} == {
            m: place for place, m in enumerate(found) if m in order[3:]
        }


def test_a_prediction_in_mid_paragraph_begins_a_box():
    document = new_document("x")
    document += nodes.paragraph(
        "", "", nodes.Text("Before. "), nodes.strong("", "Predict"),
        nodes.Text(": what "), nodes.emphasis("", "then"), nodes.Text("?"),
    )  # fmt: skip
    app = SimpleNamespace(env=SimpleNamespace(docname="book/x"))
    boxes.boxes(app, document)
    assert [node.astext() for node in document] == [
        "Before. ",
        "Predict: what then?",
    ]
    assert [node["classes"] for node in document] == [[], ["pn-predict"]]


def tree() -> nodes.document:
    document = new_document("x")
    document += paragraph("Predict", ": two things:")
    document += nodes.enumerated_list(classes=[])
    document += nodes.paragraph("", "And on.")
    section = nodes.section("", nodes.title("", "Self-test"))
    section += paragraph("1.", " Why is it so?")
    section += raw("<details><summary>Answer</summary>")
    section += nodes.paragraph("", "Because.")
    section += raw("</details>")
    document += section
    boxes.mark(document)
    boxes.group(section, "pn-question", True)
    return document


def test_forms_stand_below_what_they_ask(chapter, monkeypatch):
    monkeypatch.setattr(evidence, "printed", lambda chapter: "found 7.5")
    quiz, document = chapter(SOURCE), tree()
    quizzes.put_questions(document, quiz)
    quizzes.put_predictions(document, quiz)
    kinds = [type(node).__name__ for node in document]
    assert kinds == ["paragraph", "enumerated_list", "Asked", "paragraph",
                     "section"]  # fmt: skip
    box, panel = document.children[-1].children[1:]
    assert [type(node).__name__ for node in box] == [
        "paragraph",
        "Asked",
        "raw",
        "paragraph",
        "raw",
    ]
    assert box.children[0]["ids"] == ["question-one"]
    assert "pn-answers" in panel["html"]
    assert 'data-right="7.5"' in document.children[2]["html"]
    # the box asks, so it names the entry
    assert document.children[0]["ids"] == ["box-two"]
    assert 'aria-labelledby="box-two"' in document.children[2]["html"]


def test_a_box_that_is_not_there_is_named(chapter, monkeypatch):
    monkeypatch.setattr(evidence, "printed", lambda chapter: "found 7.5")
    quiz = chapter(SOURCE.replace('"Predict"', '"Predict nothing"'))
    with pytest.raises(BadQuiz, match="0 boxes begin with 'Predict nothing'"):
        quizzes.put_predictions(tree(), quiz)


def test_texts_are_escaped_and_formulas_drawn():
    said = quizzes.text("`a < b` & *so*: $x_1$, [a word](glossary.md#x)")
    assert "<code>a &lt; b</code> &amp; <em>so</em>" in said
    assert "<math" in said and "a word" in said and "glossary" not in said
    assert quizzes.attribute("asked", '"<&>"') == (
        'data-asked="&quot;&lt;&amp;&gt;&quot;"'
    )


@pytest.mark.parametrize("path", sorted(questions.QUIZZES.glob("*.toml")),
                         ids=lambda path: path.stem)  # fmt: skip
def test_a_quiz_is_data_and_no_copy_of_the_chapter(path):
    told = tomllib.loads(path.read_text("utf-8"))
    texts = [text for text, _ in questions.asked(path.stem)]
    for entry in told["question"]:
        [full] = [
            questions.plain(text)
            for text in texts
            if questions.plain(text).startswith(entry["begins"])
        ]
        assert len(entry["begins"]) < 70 or len(full) < 70
