"""Predictions and quizzes in the page: entered, kept, counted, saved."""

import csv
import gzip
import io
import json
import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import questions
from browser import BUILT
from tests.contents import INDEX, ROOT
from tests.test_page import LOOK, THEMES, serious, visit

QUIZ = "room_to_spare"  # choices and sliders
ORDER = "your_own_task"  # three to put in order
STATIC = ROOT / "book" / "_static"
NO_STORAGE = """Object.defineProperty(window, "localStorage",
  { get() { throw new DOMException("not here", "SecurityError") } })"""
# Everything on a page is answered, somehow.
ANSWER = """() => {
  for (const form of document.querySelectorAll("form.pn-ask")) {
    const choice = form.querySelector("input[type=radio]")
    if (choice) choice.checked = true
    form.requestSubmit()
  }
}"""


def form(page: Page, name: str) -> Locator:
    return page.locator(f"form.pn-ask[data-id$='/{name}']")


def told(page: Page, name: str) -> Locator:
    return form(page, name).locator(".pn-told")


def counted(page: Page) -> str:
    return page.locator(".pn-count").first.inner_text()


def choose(page: Page, name: str, text: str) -> None:
    form(page, name).get_by_role("radio", name=text, exact=True).check()
    form(page, name).get_by_role("button").click()


@pytest.fixture
def page(browser, book):
    page, found = visit(browser, f"{book}/book/{QUIZ}.html")
    with page.context:
        yield page
    assert found == []


@pytest.fixture(scope="module")
def choices() -> tuple[questions.Choice, ...]:
    [asked] = [
        asked
        for asked in questions.quiz(QUIZ).questions
        if asked.id == "ten-fractions"
    ]
    return asked.choices


def test_a_wrong_choice_says_why_and_may_be_mended(page, choices):
    wrong = next(c for c in choices if not c.right)
    [right] = [c for c in choices if c.right]
    expect(told(page, "ten-fractions")).to_be_hidden()
    choose(page, "ten-fractions", wrong.text)
    expect(told(page, "ten-fractions")).to_have_text("Not quite.")
    reasons = form(page, "ten-fractions").locator("[data-of]:visible")
    expect(reasons).to_have_text(wrong.why)
    choose(page, "ten-fractions", right.text)
    expect(told(page, "ten-fractions")).to_have_text("Right.")
    expect(reasons).to_have_text(right.why)
    total = len(questions.quiz(QUIZ).questions)
    assert f"1 of {total} questions" in counted(page)


def test_nothing_is_entered_before_a_choice_is_made(page):
    form(page, "ten-fractions").get_by_role("button").click()
    expect(told(page, "ten-fractions")).to_have_text(
        "Choose an answer first."
    )
    assert "To answer here" in counted(page)


def test_a_question_is_answered_by_keyboard(page, choices):
    entry = form(page, "ten-fractions")
    entry.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    expect(entry.get_by_role("radio").nth(1)).to_be_checked()
    page.keyboard.press("Tab")
    expect(entry.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    word = "Right." if choices[1].right else "Not quite."
    expect(told(page, "ten-fractions")).to_have_text(word)


def test_a_number_is_entered_and_set_beside_the_truth(page):
    entry = form(page, "smallest-half")
    slider = entry.get_by_role("slider", name="smallest half")
    slider.focus()
    before = float(slider.input_value())
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    mine = f"{before - 3:g}"
    expect(entry.locator("output")).to_have_text(f"{mine}\u00a0%")
    page.keyboard.press("Enter")
    truth = entry.get_attribute("data-right")
    expect(told(page, "smallest-half")).to_have_text(
        f"You said {mine}\u00a0%; it is {truth}\u00a0%."
    )
    expect(told(page, "smallest-half")).to_be_focused()
    expect(entry.get_by_role("button")).to_be_hidden()
    for mark, value in (("i", mine), ("b", truth)):
        left = entry.locator(f".pn-scale {mark}").evaluate(
            "e => e.style.left"
        )
        assert float(left.rstrip("%")) == pytest.approx(float(value), abs=0.1)
    # the truth is what the page prints
    table = page.locator("table", has_text="at random").first
    half = table.locator("tr", has_text=re.compile(r"^\s*50")).inner_text()
    assert truth in half.split()


def test_a_prediction_is_compared_with_what_came_out(page):
    entry = form(page, "which-layer")
    expect(entry.locator(".pn-quiet")).to_be_hidden()
    # the box asks, and so names the choices
    name = re.compile("will the first layers suffer most")
    expect(entry.get_by_role("group", name=name)).to_be_visible()
    choose(page, "which-layer", "the last ones")
    truth = entry.get_attribute("data-right")
    expect(told(page, "which-layer")).to_have_text(
        f"You said: the last ones. It is: {truth}."
    )
    expect(entry.locator(".pn-quiet")).to_be_visible()
    expect(entry.get_by_role("radio").first).to_be_disabled()


def test_an_order_is_made_with_buttons(browser, book):
    page, found = visit(browser, f"{book}/book/{ORDER}.html")
    with page.context:
        entry = form(page, "order-of-three")
        items = entry.locator("fieldset li > span")
        first = items.all_inner_texts()
        up = entry.get_by_role("button", name=f"{first[2]}: up")
        up.focus()
        page.keyboard.press("Enter")
        expect(up).to_be_focused()
        expect(told(page, "order-of-three")).to_have_text(
            f"{first[2]}: place 2 of 3"
        )
        entry.get_by_role("button", name=f"{first[0]}: down").click()
        mine = [first[2], first[0], first[1]]
        assert items.all_inner_texts() == mine
        # at the end nothing happens
        entry.get_by_role("button", name=f"{first[1]}: down").click()
        assert items.all_inner_texts() == mine
        entry.get_by_role("button", name="Compare").click()
        rows = entry.locator(".pn-truth li")
        truth = [row.get_attribute("data-name") for row in rows.all()]
        values = [float(row.get_attribute("data-value") or "nan")
                  for row in rows.all()]  # fmt: skip
        assert values == sorted(values)
        for row, name in zip(rows.all(), truth):
            expect(row).to_contain_text(f"yours: {mine.index(name) + 1}.")
        fit = sum(one == two for one, two in zip(mine, truth))
        expect(told(page, "order-of-three")).to_have_text(
            f"{fit} of 3 in the right place."
        )
        page.reload(wait_until="networkidle")
        expect(rows.first).to_be_visible()
        expect(items.first).to_be_hidden()
    assert found == []


def answer_some(page: Page, choices) -> None:
    choose(page, "ten-fractions", choices[0].text)
    form(page, "smallest-half").get_by_role("button").click()
    choose(page, "which-layer", "the first ones")


def saved(page: Page) -> tuple[str, list[dict[str, str]]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save all answers").click()
    content = download.value.path().read_text("utf-8")
    assert content.startswith("\ufeff")  # a spreadsheet reads it as UTF-8
    rows = list(csv.DictReader(io.StringIO(content[1:], newline="")))
    return download.value.suggested_filename, rows


def test_answers_are_kept_and_saved(page, choices):
    answer_some(page, choices)
    page.reload(wait_until="networkidle")
    entry = form(page, "ten-fractions")
    expect(entry.get_by_role("radio").first).to_be_checked()
    expect(told(page, "which-layer")).to_have_text("As you said.")
    assert "2 of" in counted(page) and "and 1 of" in counted(page)
    page.get_by_label("Your name").fill("Åsa O'Neil")
    file, rows = saved(page)
    assert file == "packnet-answers-åsa-o-neil.csv"
    found = {row["id"]: row for row in rows}
    assert set(found) == {
        f"{QUIZ}/{name}"
        for name in ("ten-fractions", "smallest-half", "which-layer")
    }
    quiz = found[f"{QUIZ}/ten-fractions"]
    assert quiz["kind"] == "question" and quiz["name"] == "Åsa O'Neil"
    assert quiz["question"].startswith("Somebody tries ten prune fractions")
    assert quiz["chapter"].endswith("Room to spare")
    assert quiz["first answer"] == quiz["last answer"] == choices[0].text
    [right] = [c.text for c in choices if c.right]
    assert quiz["right answer"] == right
    assert quiz["first answer right"] == "no" and quiz["tries"] == "1"
    number = found[f"{QUIZ}/smallest-half"]
    assert number["kind"] == "prediction" and number["first answer"] == "50"
    truth = form(page, "smallest-half").get_attribute("data-right")
    assert number["right answer"] == truth
    assert number["first answer right"] == ""
    assert found[f"{QUIZ}/which-layer"]["first answer right"] == "yes"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", quiz["time"])


def test_a_second_try_is_counted_and_the_first_is_kept(page, choices):
    wrong = next(c for c in choices if not c.right)
    [right] = [c for c in choices if c.right]
    choose(page, "ten-fractions", wrong.text)
    choose(page, "ten-fractions", right.text)
    choose(page, "ten-fractions", wrong.text)  # looked at, not answered
    expect(told(page, "ten-fractions")).to_have_text("Not quite.")
    _, [row] = saved(page)
    assert (row["first answer"], row["last answer"], row["tries"]) == (
        wrong.text,
        right.text,
        "2",
    )


def test_answers_of_another_chapter_are_in_the_file(page, choices):
    other = {
        "chapter": "2. Other", "asked": "=1+1", "kind": "prediction",
        "right": "-3.5", "tries": ['He said "no"'], "at": "2026-01-01",
    }  # fmt: skip
    page.evaluate(
        "a => localStorage.setItem('pn-answers', JSON.stringify(a))",
        {"other/x": other},
    )
    page.reload(wait_until="networkidle")
    assert "To answer here" in counted(page)
    choose(page, "ten-fractions", choices[0].text)
    file, rows = saved(page)
    assert file == "packnet-answers.csv"
    assert rows[0]["chapter"] == "2. Other"
    assert rows[0]["question"] == "'=1+1"  # no formula
    assert rows[0]["right answer"] == "-3.5"  # a number
    assert rows[0]["first answer"] == 'He said "no"'


def test_nothing_answered_is_nothing_saved(page):
    page.get_by_role("button", name="Save all answers").click()
    expect(page.locator(".pn-answers [role=status]")).to_have_text(
        "There is nothing to save yet."
    )


def test_clearing_asks_first_and_then_clears_all(page, choices):
    answer_some(page, choices)
    clear = page.get_by_role("button", name="Clear all answers")
    asked: list[str] = []

    def decline(dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", decline)
    clear.click()
    assert asked == ["Clear all 3 answers, of every chapter?"]
    expect(told(page, "which-layer")).to_have_text("As you said.")
    page.once("dialog", lambda dialog: dialog.accept())
    clear.click()
    assert "To answer here" in counted(page)
    entry = form(page, "which-layer")
    expect(entry.get_by_role("radio").first).to_be_enabled()
    expect(entry.get_by_role("radio").first).not_to_be_checked()
    expect(form(page, "smallest-half").get_by_role("slider")).to_be_visible()
    assert page.evaluate("localStorage.getItem('pn-answers')") == "{}"


def errors_of(page: Page) -> list[str]:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda m: errors.append(m.text) if m.type == "error" else None,
    )
    return errors


def test_answers_are_kept_from_the_disk_too(browser: Browser, choices):
    page = browser.new_page()
    errors = errors_of(page)
    with page.context:
        page.goto((BUILT / "book" / f"{QUIZ}.html").as_uri())
        answer_some(page, choices)
        page.reload()
        expect(told(page, "which-layer")).to_have_text("As you said.")
        assert len(saved(page)[1]) == 3
    assert errors == []


def test_without_a_storage_answers_last_as_long_as_the_page(
    browser: Browser, book, choices
):
    page = browser.new_page()
    page.add_init_script(NO_STORAGE)
    errors = errors_of(page)
    with page.context:
        page.goto(f"{book}/book/{QUIZ}.html", wait_until="networkidle")
        answer_some(page, choices)
        assert "2 of" in counted(page) and "and 1 of" in counted(page)
        assert len(saved(page)[1]) == 3
        page.reload(wait_until="networkidle")
        assert "To answer here" in counted(page)
    # the theme looks for a storage as well, and complains
    assert [e for e in errors if "quizzes.js" in e] == []


def test_a_damaged_storage_is_no_answer(page):
    page.evaluate("localStorage.setItem('pn-answers', '{no json')")
    page.reload(wait_until="networkidle")
    assert "To answer here" in counted(page)


def test_without_scripts_the_page_reads_as_the_notebook(browser, book):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    with context:
        page.goto(f"{book}/book/{QUIZ}.html")
        for entry in (".pn-ask", ".pn-answers", ".pn-count"):
            assert page.locator(entry).count() > 0
            assert page.locator(f"{entry}:visible").count() == 0
        questions_there = page.locator(".pn-question:visible")
        asked = questions.quiz(QUIZ).questions
        assert questions_there.count() == len(asked)
        answer = questions_there.first.get_by_text("Answer", exact=True)
        answer.click()
        text = questions.plain(asked[0].answer)[:30]
        expect(questions_there.first).to_contain_text(text)


def test_on_paper_there_is_nothing_to_enter(page):
    page.emulate_media(media="print")
    for entry in (".pn-ask", ".pn-answers", ".pn-count"):
        assert page.locator(f"{entry}:visible").count() == 0
    assert page.locator(".pn-question:visible").count() > 0


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", [QUIZ, ORDER, "limits"])
def test_answered_the_page_keeps_nobody_out_and_fits(
    browser, book, name, theme
):
    page, found = visit(browser, f"{book}/book/{name}.html", 390, theme)
    with page.context:
        page.evaluate(ANSWER)
        quiz = questions.quiz(name)
        done = len(quiz.predictions)
        expect(page.locator(".pn-count").first).to_contain_text(
            f"{done} of {done} predictions"
        )
        assert page.evaluate(LOOK) == []
        small = page.evaluate(
            """() => [...document.querySelectorAll(
              ".pn-answers :is(button, input), .pn-ask button,"
              + ".pn-ask fieldset label")]
              .map(e => [e.getBoundingClientRect().height, e.outerHTML])
              .filter(([high]) => high && high < 24)"""
        )
        assert small == []
        assert found == []
        assert serious(page) == []  # it loads more than the page does


def test_a_card_says_how_much_of_its_chapter_is_answered(
    browser, book, choices
):
    page, found = visit(browser, f"{book}/book/{QUIZ}.html")
    with page.context:
        answer_some(page, choices)
        page.goto(f"{book}/{INDEX}.html", wait_until="networkidle")
        cards = page.locator(".pn-progress:visible")
        of = questions.quiz(QUIZ).entries
        assert cards.all_inner_texts() == [f"3 of {of} answered"]
        expect(page.locator(".pn-card", has=cards)).to_contain_text(
            "Room to spare"
        )
    assert found == []


def test_scripts_and_style_are_small():
    packed = sum(
        len(gzip.compress((STATIC / file).read_bytes()))
        for file in ("quizzes.js", "quizzes.css")
    )
    assert packed < 8_000


def test_choices_and_reasons_are_not_searched(book, choices):
    told = (BUILT / "_static" / "texts.js").read_text("utf-8")
    index = (BUILT / "searchindex.js").read_text("utf-8")
    assert json.dumps("Nine tenths of the weights are zero")[1:-1] in told
    for choice in choices:
        if not choice.right:
            assert questions.plain(choice.why)[:40] not in told
    assert "lynx" in index and "lynx" in told  # a word of a chapter
    assert "obstacle" not in index + told  # of a reason alone
