"""Write the self-tests for learning platforms: `make quizzes`.

`packnet-moodle.xml` is Moodle's own format: a category for each chapter,
with its questions. `packnet-qti.zip` is a package of IMS QTI 2.1, which
other platforms import. Both have the choices with the reason for each, and
the chapter's answer as general feedback. A question without choices is an
essay, with that answer for whoever marks it.
"""

import argparse
import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import questions
import toc
from questions import Question, Quiz, escaped_formula, plain

OUT = toc.ROOT / "_build" / "html" / "quizzes"
MOODLE, QTI = "packnet-moodle.xml", "packnet-qti.zip"
ITEM = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMAS = {
    ITEM: "http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1p2.xsd",
    PACKAGE: "http://www.imsglobal.org/xsd/qti/qtiv2p1/"
    "qtiv2p1_imscpv1p2_v1p0.xsd",
}
EPOCH = (2020, 1, 1, 0, 0, 0)  # the same file from the same questions


def title(chapter: str) -> str:
    return toc.title(toc.source(f"book/{chapter}"))


def markup(markdown: str, inline: bool = False) -> str:
    """Markdown as HTML, formulas as MathJax reads them."""
    return questions.rendered(markdown, escaped_formula, inline).strip()


def name(quiz: Quiz, asked: Question) -> str:
    return f"packnet-{quiz.chapter}-{asked.id}".replace("_", "-")


def written(root: ET.Element) -> bytes:
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def put(parent: ET.Element, tag: str, text: str, **more: str) -> ET.Element:
    """A part of Moodle's format, which holds its text in another."""
    made = ET.SubElement(parent, tag, more)
    ET.SubElement(made, "text").text = text
    return made


def moodle(quizzes: list[Quiz]) -> bytes:
    """All questions in Moodle's XML."""
    root = ET.Element("quiz")
    for quiz in quizzes:
        top = ET.SubElement(root, "question", type="category")
        path = title(quiz.chapter).replace("/", "//")
        put(top, "category", f"$course$/top/PackNet/{path}")
        for asked in quiz.questions:
            moodle_question(root, quiz, asked)
    ET.indent(root)
    return written(root)


def moodle_question(root: ET.Element, quiz: Quiz, asked: Question) -> None:
    kind = "multichoice" if asked.choices else "essay"
    made = ET.SubElement(root, "question", type=kind)
    put(made, "name", shortened(plain(asked.text)))
    put(made, "questiontext", markup(asked.text), format="html")
    put(made, "generalfeedback", markup(asked.answer), format="html")
    settings = {"defaultgrade": "1", "hidden": "0",
                "idnumber": name(quiz, asked)}  # fmt: skip
    if asked.choices:
        settings |= {"penalty": "0.3333333", "single": "true",
                     "shuffleanswers": "true",
                     "answernumbering": "abc"}  # fmt: skip
    else:
        settings |= {"penalty": "0", "responseformat": "editor",
                     "responserequired": "1",
                     "responsefieldlines": "10"}  # fmt: skip
        put(made, "graderinfo", markup(asked.answer), format="html")
    for tag, value in settings.items():
        ET.SubElement(made, tag).text = value
    for choice in asked.choices:
        answer = put(
            made, "answer", markup(choice.text, inline=True),
            fraction="100" if choice.right else "0", format="html",
        )  # fmt: skip
        put(answer, "feedback", markup(choice.why), format="html")


def shortened(text: str, most: int = 80) -> str:
    """A name for a list of questions, cut between words."""
    if len(text) <= most:
        return text
    return text[: text.rindex(" ", 0, most)] + " …"


def qti(quizzes: list[Quiz]) -> bytes:
    """All questions as a package of QTI 2.1, zipped."""
    ET.register_namespace("xsi", INSTANCE)
    files = {}
    manifest = document(PACKAGE, "manifest", identifier="packnet")
    about = ET.SubElement(manifest, "metadata")
    ET.SubElement(about, "schema").text = "QTIv2.1 Package"
    ET.SubElement(about, "schemaversion").text = "1.0.0"
    ET.SubElement(manifest, "organizations")
    resources = ET.SubElement(manifest, "resources")
    for quiz in quizzes:
        for asked in quiz.questions:
            file = f"items/{name(quiz, asked)}.xml"
            files[file] = written(item(quiz, asked))
            resource = ET.SubElement(
                resources, "resource", identifier=name(quiz, asked),
                type="imsqti_item_xmlv2p1", href=file,
            )  # fmt: skip
            ET.SubElement(resource, "file", href=file)
    files["imsmanifest.xml"] = written(manifest)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for file, content in sorted(files.items()):
            package.writestr(zipfile.ZipInfo(file, EPOCH), content)
    return packed.getvalue()


def document(space: str, tag: str, **more: str) -> ET.Element:
    where = {f"{{{INSTANCE}}}schemaLocation": f"{space} {SCHEMAS[space]}"}
    return ET.Element(tag, {"xmlns": space, **where, **more})


def item(quiz: Quiz, asked: Question) -> ET.Element:
    """One question of QTI 2.1."""
    choices = {f"choice-{n}": c for n, c in enumerate(asked.choices, 1)}
    root = document(
        ITEM, "assessmentItem", identifier=name(quiz, asked),
        title=f"{title(quiz.chapter)}: {shortened(plain(asked.text))}",
        adaptive="false", timeDependent="false",
    )  # fmt: skip
    response = ET.SubElement(
        root, "responseDeclaration", identifier="RESPONSE",
        cardinality="single", baseType="identifier" if choices else "string",
    )  # fmt: skip
    if choices:
        correct = ET.SubElement(response, "correctResponse")
        for key, choice in choices.items():
            if choice.right:
                ET.SubElement(correct, "value").text = key
    declare(root, "SCORE", "float")
    if choices:
        declare(root, "FEEDBACK", "identifier")
    body = ET.SubElement(root, "itemBody")
    if choices:
        inner(body, markup(asked.text))
        asks = ET.SubElement(
            body, "choiceInteraction", responseIdentifier="RESPONSE",
            shuffle="true", maxChoices="1",
        )  # fmt: skip
        for key, choice in choices.items():
            option = ET.SubElement(asks, "simpleChoice", identifier=key)
            inner(option, markup(choice.text, inline=True))
        respond(root)
    else:
        inner(body, markup(asked.text))
        ET.SubElement(body, "extendedTextInteraction",
                      responseIdentifier="RESPONSE",
                      expectedLines="10")  # fmt: skip
        rubric = ET.SubElement(body, "rubricBlock", view="scorer")
        inner(rubric, markup(asked.answer))
    for key, choice in choices.items():
        told = ET.SubElement(
            root, "modalFeedback", outcomeIdentifier="FEEDBACK",
            identifier=key, showHide="show",
        )  # fmt: skip
        inner(told, markup(choice.why))
    return root


def declare(root: ET.Element, identifier: str, kind: str) -> None:
    ET.SubElement(root, "outcomeDeclaration", identifier=identifier,
                  cardinality="single", baseType=kind)  # fmt: skip


def inner(parent: ET.Element, markup: str) -> None:
    """Put HTML into an element; it is well-formed, as Markdown makes it."""
    made = ET.fromstring(f"<x>{markup}</x>")
    parent.text = made.text
    parent.extend(list(made))


def respond(root: ET.Element) -> None:
    """A point for the right choice, and the feedback of the chosen one."""
    processing = ET.SubElement(root, "responseProcessing")
    condition = ET.SubElement(processing, "responseCondition")
    for tag, score in (("responseIf", "1"), ("responseElse", "0")):
        branch = ET.SubElement(condition, tag)
        if tag == "responseIf":
            match = ET.SubElement(branch, "match")
            ET.SubElement(match, "variable", identifier="RESPONSE")
            ET.SubElement(match, "correct", identifier="RESPONSE")
        outcome = ET.SubElement(branch, "setOutcomeValue", identifier="SCORE")
        value = ET.SubElement(outcome, "baseValue", baseType="float")
        value.text = score
    told = ET.SubElement(processing, "setOutcomeValue", identifier="FEEDBACK")
    ET.SubElement(told, "variable", identifier="RESPONSE")


def write(folder: Path) -> list[Path]:
    """Both files, into a folder. Raises BadQuiz."""
    quizzes = [q for q in questions.quizzes().values() if q.questions]
    folder.mkdir(parents=True, exist_ok=True)
    made = {MOODLE: moodle(quizzes), QTI: qti(quizzes)}
    for file, content in made.items():
        (folder / file).write_bytes(content)
    return [folder / file for file in made]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    for path in write(parser.parse_args().out):
        print(path)
