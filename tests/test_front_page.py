"""The front page: its hero plays the records, its cards are the contents."""

import gzip
import json
import re
from pathlib import Path

import pytest
import yaml
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from scipy.stats import sem
from scipy.stats import t as student

import card as card_tool
import evidence
import front_page
import reading
import toc
from browser import BUILT
from evidence import NoTruth
from front_page import METHODS, cards, course, hero
from packnet_book.runs.records import recorded
from tests.contents import INDEX, PAGES, ROOT
from tests.looks import foreign
from tests.test_page import serious, visit

STYLE = (front_page.FRONT / "front.css").read_text()
COLOURS = (ROOT / "book" / "_static" / "colours.css").read_text()


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """The hero alone, as a file."""
    made = tmp_path_factory.mktemp("front") / "hero.html"
    made.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>x</title><style>{COLOURS}{STYLE}</style><main>{hero()}",
        "utf-8",
    )
    return made


@pytest.fixture
def still(browser: Browser, written: Path):
    """The hero without movement."""
    with browser.new_page(reduced_motion="reduce") as page:
        page.goto(written.as_uri())
        yield page


def shown(page: Page) -> list[float]:
    return [float(x) for x in page.locator(".pn-value").all_inner_texts()]


def by_hand(method: str, after: str) -> list[float]:
    """Mean errors over the draws, straight from the record."""
    rows = recorded("matrices")
    rows = rows[(rows.method == method) & (rows.after == after)]
    mean = 100 - rows.groupby("task", sort=False).accuracy.mean()
    return [pytest.approx(mean[task], abs=0.06) for task in course()["tasks"]]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


@pytest.mark.parametrize("method", METHODS)
def test_the_bars_are_the_record_after_every_task(still, method):
    if method == "packnet":
        still.get_by_role("switch").click()
    tasks = course()["tasks"]
    assert shown(still) == by_hand(method, tasks[0])
    for task in tasks[1:]:
        press(still, f"Learn {task}")
        assert shown(still) == by_hand(method, task)


def test_plain_training_forgets_and_packnet_does_not(still):
    told = still.locator(".pn-told")
    assert told.get_attribute("aria-live") == "polite"
    press(still, "Learn birds")
    worse = still.locator('.pn-bar[data-state="worse"]')
    expect(worse).to_have_count(1)
    assert "Forgotten: objects" in told.inner_text()
    still.get_by_role("switch").click()
    expect(worse).to_have_count(0)
    assert "Kept: objects" in told.inner_text()
    press(still, "Start again")
    assert "has learnt objects" in told.inner_text()


def test_tasks_come_in_turn(still):
    press(still, "Learn birds")
    expect(still.get_by_role("button", name="Learn cars")).to_be_enabled()
    expect(still.get_by_role("button", name="Learn flowers")).to_be_disabled()


def test_it_is_played_with_keys_alone(still):
    still.keyboard.press("Tab")
    still.keyboard.press("Enter")
    assert "birds learnt" in still.locator(".pn-told").inner_text()
    switch = still.get_by_role("switch")
    switch.focus()
    still.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")


def test_the_first_bar_follows_the_recorded_curve(browser, written):
    with browser.new_page(has_touch=True) as page:
        page.goto(written.as_uri())
        page.evaluate(
            """() => { window.seen = []
            const value = document.querySelector(".pn-value")
            new MutationObserver(() => seen.push(Number(value.textContent)))
              .observe(value, {childList: true, subtree: true}) }"""
        )
        page.get_by_role("button", name="Learn birds").tap()
        hero = page.locator(".pn-hero")
        expect(hero).not_to_have_attribute("data-moving", "", timeout=9000)
        seen = page.evaluate("seen")
    errors = [error for _, error in course()["curve"]]
    assert len(seen) > 3 and seen[-1] == by_hand("sequential", "birds")[0]
    assert all(min(errors) - 1 < value < max(errors) + 1 for value in seen)
    assert sorted(set(seen)) != sorted({seen[0], seen[-1]})


def test_without_scripts_both_methods_are_a_picture(browser, written):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(written.as_uri())
        picture = page.locator(".pn-still svg")
        expect(picture).to_be_visible()
        said = picture.get_attribute("aria-label") or ""
    for method in METHODS:
        for error in course()["methods"][method]["errors"][-1]:
            assert f"{error:.1f}" in said


def test_what_packing_costs_is_said_under_the_bars(still):
    """Each task against a network of its own, with the interval."""
    tasks = course()["tasks"]
    still.get_by_role("switch").click()
    told = still.locator(".pn-told")
    before = by_hand("sequential", tasks[0])[0].expected
    assert f"{before:.1f}\u00a0% before weights" in told.inner_text()
    for task in tasks[1:]:
        press(still, f"Learn {task}")
    said = re.findall(r"(\w+) ([+−]\d+\.\d) ± (\d+\.\d)", told.inner_text())
    runs = recorded("miniature").set_index(["method", "task", "seed"])
    for task, (name, points, half) in zip(tasks, said):
        errors = runs.top1_error
        more = errors["packnet", task] - errors["individual", task]
        assert name == task
        found = float(points.replace("−", "-"))
        assert found == pytest.approx(more.mean(), abs=0.06)
        reach = student.ppf(0.975, len(more) - 1) * sem(more)
        assert float(half) == pytest.approx(reach, abs=0.06)
    assert len(said) == len(tasks)
    still.get_by_role("switch").click()
    assert "price" not in told.inner_text()


def test_the_number_of_changed_bits_is_packnets_whatever_is_switched(still):
    number = still.locator(".pn-numbers li").nth(1)
    press(still, "Learn birds")
    plain = number.inner_text()
    still.get_by_role("switch").click()
    assert number.inner_text() == plain
    assert re.match(r"0\s", plain) and "changed by PackNet" in plain


def test_the_three_numbers_are_those_of_the_records(still):
    still.get_by_role("switch").click()
    numbers = still.locator(".pn-numbers strong")
    tasks, bits, bytes_ = numbers.all_inner_texts()
    sizes = recorded("sizes").query("network == 'miniature'")
    total = sizes.groupby("method").bytes.sum()
    share = total["packnet"] / total["individual"]
    assert int(tasks) == recorded("matrices").task.nunique()
    assert bits == "0"
    assert float(bytes_.rstrip(" %")) == pytest.approx(100 * share, abs=0.5)


def test_outputs_that_changed_or_were_not_compared_are_not_hidden(
    tmp_path, monkeypatch
):
    other = tmp_path / "x.ipynb"
    monkeypatch.setattr(toc, "source", lambda page: other)
    for printed, right in [("bit for bit: False\n" * 2, 2), ("", None)]:
        evidence.printed.cache_clear()
        cell = {"cell_type": "code", "outputs": [{"text": [printed]}]}
        other.write_text(json.dumps({"cells": [cell]}))
        if right is None:
            with pytest.raises(NoTruth):
                front_page.changed()
        else:
            assert front_page.changed() == right
    evidence.printed.cache_clear()


def test_the_hero_is_light_and_asks_for_nothing():
    html = STYLE + hero()
    assert len(html.encode()) < 60_000
    assert len(gzip.compress(html.encode())) < 10_000
    assert not re.search(r"https?://(?!colab)|url\(|fetch\(|@import", html)


def test_colab_is_offered_only_where_an_address_is_set(monkeypatch):
    monkeypatch.setattr(front_page, "setting", lambda: front_page.PLACEHOLDER)
    assert "olab" not in hero()
    other = "https://github.com/me/mine"
    monkeypatch.setattr(front_page, "setting", lambda: other)
    assert "google.com/github/me/mine/blob/main/book/" in hero()


def test_the_playground_is_below_the_first_screen(browser, book):
    page, found = visit(browser, f"{book}/{INDEX}.html")
    with page:
        frame = page.locator(".playground iframe")
        box = frame.bounding_box()
        assert box is not None and box["y"] > 900
        frame.scroll_into_view_if_needed()
        inside = page.frame_locator(".playground iframe")
        inside.locator("#stage").click()
        place = inside.locator("#place")
        expect(place).to_contain_text("1,500 of 1,500", timeout=60_000)
        expect(inside.locator("#mission")).to_be_hidden()
        assert found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_drawing_has_the_ground_of_the_page(browser, book, theme):
    page, _ = visit(browser, f"{book}/{INDEX}.html", theme=theme)
    with page:
        svg = page.locator("svg.pn-drawing")
        fills = svg.evaluate(
            """svg => ["rect", "text"].map(
              name => getComputedStyle(svg.querySelector(name)).fill)"""
        )
    level = int(re.findall(r"\d+", fills[1])[0])
    assert fills[0] == "none" and (level > 200) == (theme == "dark")
    text = (ROOT / f"{INDEX}.md").read_text()
    [alternative] = re.findall(r"!\[([^]]*)\]\([^)]*three-tasks.svg\)", text)
    assert f'aria-label="{alternative}"' in front_page.drawing(alternative)
    assert alternative in (BUILT / f"{INDEX}.html").read_text()


def test_the_card_has_the_colours_of_the_drawing():
    card = Image.open(ROOT / "book" / "_static" / "card.png").convert("RGB")
    assert card.size == card_tool.SIZE
    size = card.size[0] * card.size[1]
    found = {
        "#{:02x}{:02x}{:02x}".format(*colour): count / size
        for count, colour in card.getcolors(size)
    }
    squares = {"#56b4e9", "#e69f00", "#009e73"}
    assert all(found[colour] > 0.005 for colour in squares)
    many = {colour for colour, share in found.items() if share > 0.004}
    assert foreign(" ".join(many)) == set()


def sentences() -> dict[str, str]:
    text = (ROOT / f"{INDEX}.md").read_text()
    return yaml.safe_load(re.findall(r"{chapters}\n(.*?)```", text, re.S)[0])


def test_every_page_has_a_card_in_its_part_and_numbers_go_on():
    html = cards(sentences())
    links = re.findall(r'<a href="([\w]+)\.html">', html)
    assert [f"book/{name}" for name in links] == PAGES[1:]
    numbers = [int(n) for n in re.findall(r"<b>(\d+)</b>", html)]
    numbered = [page for p in toc.parts() if p.numbered for page in p.pages]
    assert numbers == list(range(1, len(numbered) + 1))
    for part in toc.parts():
        assert part.caption in html


def test_a_card_says_how_long_its_page_takes():
    told = dict(
        re.findall(
            r'<a href="(\w+)\.html">[^§]*?<small>(.*?)</small>',
            cards(sentences()).replace("</li>", "§"),
        )
    )
    for page in PAGES[1:]:
        name = Path(page).name
        if name in front_page.LOOKED_UP:
            assert name not in told
            continue
        read = reading.minutes(page)
        assert told[name].startswith(f"{read} min to read")
        there = (ROOT / f"{page}.ipynb").is_file()
        assert told[name].endswith(" to run") is there
    assert reading.minutes("book/what_if") > reading.minutes(
        "book/playground"
    )


def test_a_page_without_a_sentence_is_refused():
    told = sentences()
    del told["playground"]
    with pytest.raises(NoTruth, match="playground"):
        cards(told)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_front_page_keeps_nobody_out_when_something_is_forgotten(
    browser, book, theme
):
    page, found = visit(browser, f"{book}/{INDEX}.html", 390, theme)
    with page:
        page.emulate_media(reduced_motion="reduce")
        press(page, "Learn birds")
        places = "b => b.getBoundingClientRect().height"
        for button in page.locator(".pn-stage button").all():
            assert button.evaluate(places) >= 32
        assert found == [] and serious(page) == []
