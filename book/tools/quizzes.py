"""Sphinx extension: predictions are entered, self-tests are quizzes.

What is asked stands in the chapters and in `book/quizzes/` (see
`questions.py`); what came out is computed (see `truths.py`). Here both
become forms in the page. `quizzes.js` makes them work; without scripts the
page shows none of them, and reads as the notebook does.
"""

import html
import re
from itertools import groupby

from docutils import nodes
from sphinx.application import Sphinx

import formulas
import questions
from boxes import SECTIONS
from questions import Prediction, Question, Quiz, plain, words
from truths import truth

# method="dialog": nothing is sent, and no page is left
FORM = (
    '<form class="pn-ask pn-{kind} pst-js-only" method="dialog" '
    'data-kind="{kind}" data-id="{id}" {more}>'
)
LEAD = re.compile(r"^(Predict|What do you expect\?)\W*")
MINUS = re.compile(r"(?<![\w-])-(?=\d)")
CHECK, ENTER = '<button class="pn-go">{}</button>', "Compare"
COUNT = '<p class="pn-count pst-js-only">{}</p>'
PANEL = """
<form class="pn-answers pst-js-only" method="dialog"
aria-label="Your answers">
{count}
<p class="pn-quiet">Your answers are kept in this browser and sent to nobody.
The file has those of all chapters, for you or for a teacher.</p>
<div><label>Your name, for the file
<input autocomplete="name" maxlength="60"></label>
<button class="pn-go">Save all answers as a file</button>
<button type="button" class="pn-clear">Clear all answers</button></div>
<p role="status"></p>
</form>
"""


class Asked(nodes.General, nodes.Element):
    """HTML that is no text of the page: neither searched nor printed."""


def show(writer, node: Asked) -> None:
    writer.body.append(node["html"])
    raise nodes.SkipNode


def skip(writer, node: Asked) -> None:
    raise nodes.SkipNode


def formula(tex: str) -> str:
    return formulas.mathml(tex, "inline")


def text(markdown: str) -> str:
    """A line of Markdown as HTML, with dots and signs as they are set."""
    made = questions.rendered(markdown, formula, inline=True)
    return MINUS.sub("−", made.replace(" …", "\u00a0…"))


def figure(value: float) -> str:
    """A number with as many digits as one reads."""
    if abs(value) < 1:
        return f"{value:.2g}"
    return f"{value:.1f}".removesuffix(".0")


def attribute(name: str, value: object) -> str:
    return f'data-{name}="{html.escape(str(value))}"'


def radios(name: str, options: list[str]) -> str:
    return "\n".join(
        f'<label><input type="radio" name="{name}" '
        f'value="{html.escape(plain(option))}"> '
        f"<span>{text(option)}</span></label>"
        for option in options
    )


def question_form(chapter: str, asked: Question) -> str:
    """Choices, and below them why the chosen one is right or wrong."""
    reasons = "\n".join(
        f"<div {attribute('of', plain(choice.text))} hidden>"
        f"{questions.rendered(choice.why, formula)}</div>"
        for choice in asked.choices
    )
    [right] = [choice.text for choice in asked.choices if choice.right]
    more = " ".join([attribute("asked", plain(asked.text)),
                     attribute("right", plain(right))])  # fmt: skip
    return (
        FORM.format(kind="choice", id=f"{chapter}/{asked.id}", more=more)
        + f'<fieldset aria-labelledby="question-{asked.id}">'
        + radios(asked.id, [choice.text for choice in asked.choices])
        + f"</fieldset>{CHECK.format('Check')}"
        + f'<div role="status"><p class="pn-told"></p>{reasons}</div></form>'
    )


def prediction_form(chapter: str, asked: Prediction, box: str) -> str:
    """What is entered, and below it what came out. Raises NoTruth.

    box: the text of the box, which asks where nothing else does.
    """
    found = truth(chapter, asked)
    name = f"{chapter}/{asked.id}"
    said = text(asked.said.format(**found.facts))
    wanted = plain(asked.ask) or LEAD.sub("", words(box))
    more = [attribute("asked", wanted), 'data-prediction=""']
    if asked.slider:
        kind, entry = "number", slider(asked)
        ends = (MINUS.sub("−", f"{end:g} {asked.slider.unit}") for end in
                (asked.slider.least, asked.slider.most))  # fmt: skip
        more += [attribute("right", figure(found.right)),
                 attribute("unit", asked.slider.unit)]  # fmt: skip
        shown = (
            '<div class="pn-scale" aria-hidden="true" hidden '
            f"{' '.join(map(attribute, ('least', 'most'), ends))}>"
            "<i></i><b></b></div>"
        )
    elif asked.order:
        kind, entry = "order", fieldset(asked, order(asked))
        shown = '<ol class="pn-truth" hidden>' + "".join(
            f"<li {attribute('name', item)} {attribute('value', f'{v:.1f}')}>"
            f"<b>{html.escape(item)}</b> <span>{v:.1f}</span> <i></i></li>"
            for item, v in found.right.items()
        )
        shown += "</ol>"
    else:
        kind, shown = "choice", ""
        entry = fieldset(asked, radios(asked.id, list(asked.choices)))
        more.append(attribute("right", plain(str(found.right))))
    return (
        FORM.format(kind=kind, id=name, more=" ".join(more))
        + entry
        + f'<div role="status">{shown}<p class="pn-told"></p>'
        + f'<p class="pn-quiet" hidden>{said}</p></div></form>'
    )


def fieldset(asked: Prediction, entries: str) -> str:
    legend, by = f"<legend>{text(asked.ask)}</legend>", ""
    if not asked.ask:
        legend, by = "", f' aria-labelledby="box-{asked.id}"'
    return f"<fieldset{by}>{legend}{entries}</fieldset>{CHECK.format(ENTER)}"


def slider(asked: Prediction) -> str:
    ends, name = asked.slider, f"entry-{asked.id}"
    middle = round((ends.most - ends.least) / ends.step / 2) * ends.step
    label, by = f'<label for="{name}">{text(asked.ask)}</label>', ""
    if not asked.ask:
        label, by = "", f' aria-labelledby="box-{asked.id}"'
    return (
        f'{label}<div class="pn-slide"><input type="range" id="{name}"{by} '
        f'min="{ends.least:g}" max="{ends.most:g}" step="{ends.step:g}" '
        f'value="{ends.least + middle:g}"><output for="{name}"></output>'
        f"{CHECK.format(ENTER)}</div>"
    )


def order(asked: Prediction) -> str:
    """The items, each with two buttons that move it."""
    items = "".join(
        f"<li {attribute('name', item)}><span>{html.escape(item)}</span>"
        + "".join(
            f'<button type="button" data-way="{way}" '
            f'aria-label="{html.escape(item)}: {word}">{sign}</button>'
            for way, word, sign in ((-1, "up", "↑"), (1, "down", "↓"))
        )
        + "</li>"
        for item in asked.order
    )
    return f"<ol>{items}</ol>"


def put_questions(doctree: nodes.document, quiz: Quiz) -> None:
    """Forms below the questions of a self-test, and the panel at its end."""
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title)
        if not (title and SECTIONS["pn-question"].match(title.astext())):
            continue
        for asked in quiz.questions:
            paragraph = beginning(
                section.findall(nodes.paragraph), plain(asked.text)
            )
            paragraph["ids"].append(f"question-{asked.id}")
            if asked.choices:
                form = question_form(quiz.chapter, asked)
                after(paragraph, form)
        section.append(Asked(html=PANEL.format(count=count(quiz))))


def put_predictions(doctree: nodes.document, quiz: Quiz) -> None:
    """Forms below the boxes that ask for a prediction."""
    boxes = [
        node
        for node in doctree.findall(nodes.paragraph)
        if "pn-predict" in node["classes"]
    ]
    titles = list(doctree.findall(nodes.title))
    asked_in = groupby(quiz.predictions, key=lambda asked: asked.box)
    for box, together in asked_in:
        node = beginning([*boxes, *titles], box)
        made = ""
        for asked in together:
            if not asked.ask:
                node["ids"].append(f"box-{asked.id}")
            made += prediction_form(quiz.chapter, asked, node.astext())
        after(end_of(node), f'<div class="pn-asks">{made}</div>')


def end_of(box: nodes.Node) -> nodes.Node:
    """The last part of a box: its list, if it has one."""
    if isinstance(box, nodes.title):
        return box.parent.next_node(nodes.enumerated_list)
    following = box.next_node(descend=False, siblings=True)
    listed = isinstance(following, nodes.Element) and (
        "pn-predict" in following["classes"]
    )
    return following if listed else box


def beginning(found, text: str):
    """The one node that begins with a text. Raises BadQuiz."""
    fit = [node for node in found if words(node.astext()).startswith(text)]
    if len(fit) != 1:
        raise questions.BadQuiz(
            f"{len(fit)} boxes begin with {text!r}: quote the beginning of "
            "one, as the page shows it"
        )
    return fit[0]


def after(node: nodes.Node, form: str) -> None:
    place = node.parent.index(node) + 1
    node.parent.insert(place, Asked(html=form))


def count(quiz: Quiz) -> str:
    """What there is to answer; the script says how much is answered."""
    asked = sum(bool(question.choices) for question in quiz.questions)
    parts = [
        f"{number} {word}{'s' * (number > 1)}"
        for number, word in (
            (len(quiz.predictions), "prediction"),
            (asked, "question"),
        )
        if number
    ]
    told = f"To answer here: {' and '.join(parts)}."
    return COUNT.format(told)


def forms(app: Sphinx, doctree: nodes.document) -> None:
    """Put the forms of a chapter into its tree."""
    quiz = quiz_of(app.env.docname)
    if quiz:
        app.env.note_dependency(str(questions.file(quiz.chapter)))
        put_questions(doctree, quiz)
        put_predictions(doctree, quiz)


def quiz_of(page: str) -> Quiz | None:
    folder, _, chapter = page.partition("/")
    return questions.quizzes().get(chapter) if folder == "book" else None


def top(app: Sphinx, page: str, template: str, context: dict, tree) -> None:
    """Below the heading: what there is to answer."""
    quiz, body = quiz_of(page), context.get("body", "")
    if quiz and body:
        line = f"</h1>{count(quiz)}"
        context["body"] = body.replace("</h1>", line, 1)


def setup(app: Sphinx) -> dict:
    skipped = (skip, None)
    app.add_node(Asked, html=(show, None), latex=skipped, text=skipped)
    app.connect("doctree-read", forms, priority=600)
    app.connect("html-page-context", top, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
