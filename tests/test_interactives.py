"""The interactives: what they hold, and what their controls do.

What is shown is compared with the library's rule, with arithmetic, and
with the records, not with pictures of the page.
"""

import base64
import io
import json
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Frame, Locator, Page, expect
from torch import Tensor

from packnet_book.interactives import (
    drag_cutoff,
    share_out,
    spend,
    take_name_away,
)
from packnet_book.interactives.shares import shares
from packnet_book.runs.planner import H100, T4, cost_table, hours
from packnet_book.runs.presets import PAPER
from packnet_book.runs.records import recorded
from packnet_core.errors import BadFraction
from packnet_core.images import Pictures
from packnet_core.pruning import cutoff, free_up_to
from tests.standalone import opened
from tests.test_page import serious, visit
from tests.test_widgets import framed

SPACE = "\u00a0"
FILTER = torch.tensor(
    [[0, 2, 1, 3, 1], [-3, 0, 2, 0, -1], [-2, -1, 1, 0, -1],
     [-2, 0, 2, -2, 0], [-1, -1, 1, -2, -2]]
).float()  # fmt: skip
TASKS = ["objects", "birds", "cars", "flowers"]


def layers() -> dict[str, Tensor]:
    """Of different sizes and magnitudes, one of them half zeros."""
    torch.manual_seed(0)
    zeros = torch.randn(40, 30)
    zeros[torch.rand(40, 30) < 0.5] = 0  # as weights that never moved
    return {
        "first.weight": 3 * torch.randn(8, 3, 3, 3),
        "second.weight": torch.randn(16, 8, 3, 3) / 10,
        "zeros.weight": zeros,
        "unseen.weight": torch.randn(50),
    }


def errors() -> pandas.DataFrame:
    return pandas.DataFrame(
        {"pruned": [20.0, 80.0], "retrained": [8.0, 11.0]}, index=[50, 75]
    )


def held(html: str) -> dict:
    found = re.search('id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def by_the_library(
    weight: Tensor, fraction: float
) -> tuple[float | None, int]:
    """The cutoff, and how many weights it frees."""
    value, owner = weight.clone(), torch.ones_like(weight, dtype=torch.uint8)
    limit = cutoff(value, owner, 1, fraction)
    free_up_to(value, owner, 1, limit)
    assert int((value == 0).sum()) == int(
        ((owner == 0) | (weight == 0)).sum()
    )
    return limit, int((owner == 0).sum())


# The cutoff


@pytest.mark.parametrize("weight", [*layers().values(), FILTER])
def test_at_every_percent_what_is_freed_is_what_the_library_frees(weight):
    [layer] = held(drag_cutoff({"layer": weight}).html)["layers"]
    for percent in range(100):
        limit, freed = by_the_library(weight, percent / 100)
        assert layer["each"]["freed"][percent] == freed
        shown = layer["each"]["cutoffs"][percent]
        assert shown == pytest.approx(-1 if limit is None else limit, 1e-5)
        assert layer["asked"][percent] == round(
            percent / 100 * weight.numel()
        )


def test_one_cutoff_for_all_is_that_of_all_weights_together():
    everything = layers()
    together = torch.cat([w.flatten() for w in everything.values()])
    data = held(drag_cutoff(everything, ["first.weight"]).html)
    [layer] = data["layers"]
    for percent in range(100):
        limit, _ = by_the_library(together, percent / 100)
        limit = -1.0 if limit is None else limit
        assert data["forAll"][percent] == pytest.approx(limit, 1e-5)
        freed = int((everything["first.weight"].abs() <= limit).sum())
        assert layer["one"]["freed"][percent] == freed


def test_the_squares_are_weights_of_the_layer_and_fall_in_their_turn():
    everything = layers()
    names = list(everything)[:3]
    data = held(drag_cutoff(everything, names).html)
    for name, layer in zip(names, data["layers"]):
        weight = everything[name]
        values = torch.tensor(layer["sample"])
        whole = weight.flatten()
        near = (values[:, None] - whole).abs().min(1).values
        assert (near < 1e-5 * values.abs().clamp(min=1)).all()
        assert len(values) == 144 and layer["columns"] == 12
        if weight.dim() == 4:  # the first kernel stands at the left, above
            rows = values.view(12, 12)[:3, :3]
            torch.testing.assert_close(
                rows, weight[0, 0], rtol=1e-4, atol=1e-6
            )
        for value, falls in zip(layer["sample"], layer["each"]["falls"]):
            for percent in (falls - 1, falls):
                if not 0 <= percent < 100:
                    continue
                limit = layer["each"]["cutoffs"][percent]
                free = abs(value) <= limit * (1 + 1e-5)
                assert free == (percent == falls) or value == 0


def test_a_histogram_counts_every_weight_of_small_whole_numbers():
    [layer] = held(drag_cutoff({"filter": FILTER}).html)["layers"]
    values = FILTER.flatten().tolist()
    counts = [values.count(value) for value in range(-3, 4)]
    assert layer["bins"] == counts and sum(counts) == 25
    assert (layer["left"], layer["width"]) == (-3.5, 1)


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(KeyError, match="third"):
        drag_cutoff(layers(), ["third"])


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("cutoff") / "cutoff.html"
    shown = ["first.weight", "second.weight", "zeros.weight"]
    drag_cutoff(layers(), shown, errors(), seeds=3).write(file)
    return file


@pytest.fixture
def page(browser: Browser, cut: Path) -> Iterator[Page]:
    yield from opened(browser, cut)


def shown(page: Page | Frame) -> list[int]:
    return [
        int(freed)
        for freed in page.eval_on_selector_all(
            ".layer p", "all => all.map(p => p.dataset.freed)"
        )
    ]


def rightly(percent: int) -> list[int]:
    return [
        by_the_library(weight, percent / 100)[1]
        for weight in list(layers().values())[:3]
    ]


def test_the_slider_frees_by_key_and_mouse_what_the_library_frees(page):
    assert shown(page) == rightly(50)
    page.focus("#percent")
    page.keyboard.press("ArrowRight")
    assert shown(page) == rightly(51)
    expect(page.locator("#percent-shown")).to_have_text("51 %")
    page.keyboard.press("Home")
    assert shown(page) == [0, 0, 0]
    expect(page.locator(".squares .free")).to_have_count(0)
    page.keyboard.press("End")
    assert shown(page) == rightly(99)
    box = page.locator("#percent").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + 10)
    percent = int(page.input_value("#percent"))
    assert 27 < percent < 33 and shown(page) == rightly(percent)
    words = page.locator(".layer p").nth(1).inner_text()
    count = rightly(percent)[1]
    assert f"{count:,} of 1,152 freed" in words


def test_a_histograms_edge_is_dragged(page):
    """What lies inside both edges is free, whichever side is dragged."""
    histogram = page.locator(".histogram").first
    box = histogram.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    y = box["y"] + box["height"] / 2
    data = held(page.content())["layers"][0]
    scale = box["width"] / (len(data["bins"]) * data["width"])
    for side in (-1, 1):
        page.mouse.move(middle, y)
        page.mouse.down()
        page.mouse.move(middle + side * 40, y)
        page.mouse.move(middle + side * 90, y)
        page.mouse.up()
        magnitude = 90 / scale
        percent = int(page.input_value("#percent"))
        assert data["each"]["cutoffs"][percent] >= magnitude - 0.02
        assert data["each"]["cutoffs"][percent - 1] < magnitude + 0.02
        assert shown(page) == rightly(percent)
    page.mouse.move(middle, y)  # let go, nothing moves
    assert int(page.input_value("#percent")) == percent


def test_a_histogram_is_dragged_with_a_finger(browser, cut):
    for page in opened(browser, cut, width=390, has_touch=True):
        histogram = page.locator(".histogram").nth(1)
        histogram.scroll_into_view_if_needed()
        box = histogram.bounding_box()
        assert box is not None
        at = box["x"] + 0.8 * box["width"], box["y"] + 30
        page.touchscreen.tap(*at)
        percent = int(page.input_value("#percent"))
        assert percent > 50 and shown(page) == rightly(percent)


def test_one_cutoff_for_all_spares_the_layer_of_large_weights(page):
    page.get_by_label("one for the whole network").check()
    everything = layers()
    together = torch.cat([w.flatten() for w in everything.values()])
    limit, _ = by_the_library(together, 0.5)
    assert limit is not None
    right = [
        int((w.abs() <= limit).sum()) for w in list(everything.values())[:3]
    ]
    assert shown(page) == right and right[0] < 20
    share = f"{100 * right[0] / 216:.1f}".removesuffix(".0")
    told = page.locator("#told")
    expect(told).to_contain_text(f"first {share}{SPACE}%")
    page.get_by_label("one for each layer").check()
    assert shown(page) == rightly(50)


def test_squares_that_are_free_are_told_and_counted(page):
    page.locator("#percent").fill("75")
    data = held(page.content())
    for layer, squares in zip(data["layers"], page.locator(".squares").all()):
        free = sum(falls <= 75 for falls in layer["each"]["falls"])
        assert squares.locator(".free").count() == free
        label = squares.get_attribute("aria-label") or ""
        assert f"{free} are zero, {144 - free} are kept" in label


def test_only_what_was_recorded_is_told_as_recorded(page):
    told = page.locator("#told")
    expect(told).to_contain_text(
        "Recorded: at 50 % freed, 20.0 % of the test pictures are answered "
        "wrongly at first and 8.0 % after retraining (mean of 3 seeds"
    )
    page.locator("#percent").fill("60")
    expect(told).to_contain_text("Nothing was recorded at 60 %. Recorded: at")
    expect(told).to_contain_text("at 75 % freed, 80.0 % of the test pictures")
    page.locator("#percent").fill("90")
    assert "at 50 %" not in told.inner_text()
    label = page.get_attribute("#chart", "aria-label") or ""
    assert "75 %: pruned 80.0, retrained 11.0." in label


def test_ties_go_with_the_cutoff_and_are_told(browser, tmp_path):
    drag_cutoff({"filter": FILTER}, percent=40).write(tmp_path / "x.html")
    for page in opened(browser, tmp_path / "x.html"):
        words = page.locator(".layer p")
        expect(words).to_contain_text("15 of 25 freed")
        expect(words).to_contain_text("asked for 10, but all")
        numbers = page.locator(".squares i").all_inner_texts()
        right = FILTER.masked_fill(FILTER.abs() <= 1, 0).flatten().int()
        minus = [n.replace("\u2212", "-") for n in numbers]
        assert [int(n) for n in minus] == right.tolist()
        page.locator("#percent").fill("60")
        expect(words).to_contain_text("15 of 25 freed")
        assert "asked" not in words.inner_text()
        expect(page.locator("#how")).to_be_hidden()
        expect(page.locator("#chart")).to_be_hidden()
        histogram = page.locator(".histogram").bounding_box()
        assert histogram is not None
        at = histogram["x"] + histogram["width"] * 2 / 7  # -2 ends here
        page.mouse.click(at - 20, histogram["y"] + 60)
        expect(words).to_contain_text("23 of 25 freed")


# Order and fractions


def runs() -> pandas.DataFrame:
    return pandas.concat([recorded("orders_14"), recorded("higher")])


@pytest.mark.parametrize(
    "fractions, right",
    [
        ((0.5, 0.75, 0.75), [50, 12.5, 9.375, 28.125]),
        ((0.75, 0.75, 0.75), [25, 18.75, 14.0625, 42.1875]),
        ((0.0, 0.5, 0.5), [100, 0, 0, 0]),
    ],
)
def test_shares_are_those_of_the_paper(fractions, right):
    assert [100 * share for share in shares(fractions)] == right


def test_a_wrong_number_of_fractions_or_a_bad_one_is_refused():
    with pytest.raises(ValueError, match="2 fractions for 4 tasks"):
        share_out(TASKS, [0.5, 0.5])
    with pytest.raises(BadFraction):
        share_out(["a", "b"], [1.0])


def test_every_recorded_choice_has_the_means_of_its_record():
    found = held(share_out(TASKS, (0.5, 0.75, 0.75), runs()).html)["runs"]
    assert len(found) == 7
    for run in found:
        own = runs()
        own = own[own.order == "/".join(run["order"])]
        own = own[own.prune == "/".join(f"{f:g}" for f in run["fractions"])]
        assert run["seeds"] == own.seed.nunique() >= 3
        for name, (mean, _) in zip(run["order"], run["errors"], strict=True):
            right = own[own.task == name].top1_error.mean()
            assert mean == pytest.approx(right, abs=1e-4)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("shares") / "shares.html"
    share_out(TASKS, (0.5, 0.75, 0.75), runs()).write(file)
    return file


@pytest.fixture
def out(browser: Browser, shared: Path) -> Iterator[Page]:
    yield from opened(browser, shared)


def rows(page: Page | Frame) -> list[tuple[str, float]]:
    """Task and share of each row, from the top."""
    return [
        (name, float(keeps))
        for name, keeps in page.eval_on_selector_all(
            "#places li", "all => all.map(l => [l.dataset.task, "
            "l.dataset.keeps])"
        )
    ]  # fmt: skip


def right_rows(order: list[str], fractions) -> list:
    return [
        (name, pytest.approx(share))
        for name, share in zip(order, shares(fractions), strict=True)
    ]


def row(page: Page | Frame, task: str) -> Locator:
    return page.locator(f'#places li[data-task="{task}"]')


def bits(fractions) -> str:
    parts = [share for share in shares(fractions) if share]
    return f"{-sum(p * math.log2(p) for p in parts):.2f} bits"


def test_a_fraction_moves_all_shares_after_it(out):
    assert rows(out) == right_rows(TASKS, (0.5, 0.75, 0.75))
    slider = row(out, "objects").get_by_role("slider")
    slider.focus()
    out.keyboard.press("ArrowRight")
    moved = (0.51, 0.75, 0.75)
    assert rows(out) == right_rows(TASKS, moved)
    told = out.locator("#told")
    expect(told).to_contain_text(bits(moved))
    expect(told).to_contain_text("This choice was not run")
    assert row(out, "birds").get_attribute("data-error") == ""
    expect(row(out, "birds")).to_contain_text("not run")
    slider.fill("75")
    assert rows(out) == right_rows(TASKS, (0.75, 0.75, 0.75))
    expect(told).to_contain_text("was run with 5 seeds")
    slider.fill("0")
    assert rows(out) == right_rows(TASKS, (0, 0.75, 0.75))
    expect(told).to_contain_text("0.00 bits")


def test_the_last_task_frees_nothing(out):
    expect(row(out, "flowers").get_by_role("slider")).to_be_hidden()
    expect(row(out, "flowers")).to_contain_text(f"sees 100{SPACE}%")


def test_the_edge_of_a_bar_is_dragged(out):
    bar = row(out, "birds").locator(".bar")
    box = bar.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    out.mouse.move(box["x"] + 0.625 * box["width"], y)
    out.mouse.down()
    out.mouse.move(box["x"] + 0.8 * box["width"], y, steps=4)
    assert rows(out) == right_rows(TASKS, (0.5, 0.4, 0.75))
    out.mouse.move(box["x"] + 0.2 * box["width"], y)  # no further than this
    out.mouse.up()
    assert rows(out) == right_rows(TASKS, (0.5, 0.99, 0.75))
    out.mouse.move(box["x"] + 0.9 * box["width"], y)
    assert rows(out) == right_rows(TASKS, (0.5, 0.99, 0.75))


def test_the_colours_of_a_bar_are_as_long_as_the_shares(out):
    row(out, "objects").get_by_role("slider").fill("60")
    kept = shares((0.6, 0.75, 0.75))
    widths = (
        row(out, "cars")
        .locator(".bar > span:not(.grip)")
        .evaluate_all("all => all.map(s => s.getBoundingClientRect().width)")
    )
    whole = sum(widths)
    for width, share in zip(widths, [*kept[:3], kept[3]], strict=True):
        assert width / whole == pytest.approx(share, abs=0.01)


def test_tasks_change_places_by_button_key_and_drag(out):
    fractions = (0.5, 0.75, 0.75)
    row(out, "flowers").get_by_role("button", name="earlier").click()
    order = ["objects", "birds", "flowers", "cars"]
    assert rows(out) == right_rows(order, fractions)
    button = row(out, "flowers").get_by_role("button", name="earlier")
    button.focus()
    out.keyboard.press("Enter")
    out.keyboard.press("Enter")
    order = ["flowers", "objects", "birds", "cars"]
    assert rows(out) == right_rows(order, fractions)
    expect(button).to_be_disabled()  # the focus goes to the other button
    later = row(out, "flowers").get_by_role("button", name="later")
    expect(later).to_be_focused()
    out.keyboard.press("Enter")
    order = ["objects", "flowers", "birds", "cars"]
    assert rows(out) == right_rows(order, fractions)
    drag(out, "cars", "flowers")
    order = ["objects", "cars", "flowers", "birds"]
    assert rows(out) == right_rows(order, fractions)
    drag(out, "cars", "birds")
    order = ["objects", "flowers", "birds", "cars"]
    assert rows(out) == right_rows(order, fractions)
    expect(out.locator(".moving")).to_have_count(0)


def drag(page: Page, task: str, over: str) -> None:
    """Drag a row by its name over another, past its middle."""
    start = row(page, task).locator(".task").bounding_box()
    end = row(page, over).bounding_box()
    assert start is not None and end is not None
    up = end["y"] < start["y"]
    page.mouse.move(start["x"] + 60, start["y"] + start["height"] / 2)
    page.mouse.down()
    part = 0.2 if up else 0.8
    page.mouse.move(
        start["x"] + 60, end["y"] + part * end["height"], steps=12
    )
    page.mouse.up()


def test_a_recorded_choice_shows_its_errors_in_its_order(out):
    options = out.locator("#recorded option").all_inner_texts()
    found = held(out.content())["runs"]
    assert len(options) == 1 + len(found) == 8
    for number, run in enumerate(found):
        out.select_option("#recorded", str(number))
        assert rows(out) == right_rows(run["order"], run["fractions"])
        for name, (mean, half) in zip(run["order"], run["errors"]):
            told = f"{mean:.1f}{SPACE}±{SPACE}{half:.1f}{SPACE}%"
            expect(row(out, name)).to_contain_text(told)
        expect(out.locator("#told")).to_contain_text(
            f"run with {run['seeds']} seeds"
        )
    row(out, "birds").get_by_role("slider").fill("10")
    assert out.input_value("#recorded") == ""


def test_without_runs_there_are_shares_and_no_errors(browser, tmp_path):
    share_out(["a", "b"], [0.25]).write(tmp_path / "x.html")
    for page in opened(browser, tmp_path / "x.html"):
        assert rows(page) == [("a", 0.75), ("b", 0.25)]
        expect(page.locator("#choice")).to_be_hidden()
        assert "run" not in page.locator("main").inner_text()


# Hours and money


@cache
def costs() -> dict[str, pandas.DataFrame]:
    return {name: cost_table(PAPER, name) for name in ("packnet", "lwf")}


@pytest.fixture(scope="module")
def planned(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("hours") / "hours.html"
    spend(costs(), (T4, H100), {"T4": 0.5, "H100 SXM": 3.0}).write(file)
    return file


@pytest.fixture
def bill(browser: Browser, planned: Path) -> Iterator[Page]:
    yield from opened(browser, planned)


def total(page: Page | Frame, what: str) -> float:
    return float(page.get_attribute("#total", f"data-{what}") or "")


def planners(method: str, device, precision: str, share: float):
    """Hours of every stage that takes some, as the planner has them."""
    cost = costs()[method]
    taken = hours(cost, device, precision, share)
    return taken[cost.train + cost.test > 0].tolist()


def test_hours_are_those_of_the_planner(bill):
    for method in ("packnet", "lwf"):
        bill.select_option("#method", method)
        for device, precision in (
            (T4, "no"), (T4, "fp16"), (H100, "no"), (H100, "bf16"),
        ):  # fmt: skip
            name = "float32" if precision == "no" else precision
            bill.select_option("#way", label=f"{device.name}, {name}")
            for share in (20, 60, 100):
                bill.locator("#share").fill(str(share))
                right = planners(method, device, precision, share / 100)
                found = bill.eval_on_selector_all(
                    ".stage", "all => all.map(s => +s.dataset.hours)"
                )
                assert found == pytest.approx(right)
                assert total(bill, "hours") == pytest.approx(sum(right))
                price = {"T4": 0.5, "H100 SXM": 3.0}[device.name]
                assert total(bill, "dollars") == pytest.approx(
                    price * sum(right)
                )


def test_price_and_share_move_with_the_keys(bill):
    before = total(bill, "dollars"), total(bill, "hours")
    bill.focus("#price")
    bill.keyboard.press("ArrowRight")
    expect(bill.locator("#price-shown")).to_have_text(f"0.55{SPACE}dollars")
    assert total(bill, "dollars") == pytest.approx(1.1 * before[0])
    bill.keyboard.press("Home")
    assert total(bill, "dollars") == 0
    bill.focus("#share")
    bill.keyboard.press("End")
    right = sum(planners("packnet", T4, "no", 1))
    assert total(bill, "hours") == pytest.approx(right) != before[1]
    expect(bill.locator("#told")).to_contain_text("Computed, not measured")


def test_a_stage_that_is_left_out_does_not_count(bill):
    whole = planners("packnet", T4, "no", 0.4)
    names = bill.locator(".stage label").all_inner_texts()
    assert names[:3] == [
        "test imagenet",
        "prune imagenet",
        "retrain imagenet",
    ]
    bill.get_by_label("retrain imagenet").focus()
    bill.keyboard.press("Space")
    rest = sum(whole) - whole[2]
    assert total(bill, "hours") == pytest.approx(rest)
    expect(bill.get_by_label("retrain imagenet")).to_be_focused()
    widths = bill.eval_on_selector_all(
        ".stage b", "all => all.map(b => b.getBoundingClientRect().width)"
    )
    counted = [*whole[:2], 0, *whole[3:]]
    longest = counted.index(max(counted))
    assert widths[2] < 3 and max(widths) == widths[longest]
    for box in bill.get_by_role("checkbox").all():
        box.uncheck()
    expect(bill.locator("#told")).to_have_text("No stage is counted.")
    assert total(bill, "hours") == 0


def test_a_card_without_a_price_is_refused():
    with pytest.raises(KeyError, match="H100"):
        spend(costs(), (T4, H100), {"T4": 1.0})


# The task's name


def answered() -> tuple[dict[str, Pictures], dict[str, list[Tensor]]]:
    """Three tasks of 40 pictures, with heads that are wrong now and then."""
    torch.manual_seed(0)
    pictures, outputs = {}, {}
    for place, (task, classes) in enumerate({"a": 5, "b": 3, "c": 4}.items()):
        labels = torch.arange(40) % classes
        images = torch.randint(256, (40, 3, 20, 20), dtype=torch.uint8)
        names = tuple(f"{task}{n}" for n in range(classes))
        pictures[task] = Pictures(images, labels, names)
        outputs[task] = [2 * torch.randn(40, n) for n in (5, 3, 4)]
        outputs[task][place][torch.arange(40), labels] += 3
    return pictures, outputs


def by_hand(way: str, task: str) -> tuple[list[int], int]:
    """How many are taken for each task, and how many are wrong."""
    pictures, outputs = answered()
    tasks, wrong = list(pictures), 0
    believed = [0, 0, 0]
    for i, label in enumerate(pictures[task].labels.tolist()):
        rows = [logits[i] for logits in outputs[task]]
        scores = {
            "largest logit": [row.max() for row in rows],
            "largest softmax": [row.softmax(0).max() for row in rows],
            "least entropy": [
                (row.softmax(0) * row.softmax(0).log()).sum() for row in rows
            ],
        }[way]
        head = max(range(3), key=lambda n: scores[n])
        believed[head] += 1
        wrong += not (
            head == tasks.index(task) and int(rows[head].argmax()) == label
        )
    return believed, wrong


@pytest.fixture(scope="module")
def unnamed(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("names") / "names.html"
    take_name_away(*answered()).write(file)
    return file


@pytest.fixture
def nameless(browser: Browser, unnamed: Path) -> Iterator[Page]:
    yield from opened(browser, unnamed)


def test_with_its_name_every_picture_is_answered_by_its_own_head(nameless):
    pictures, outputs = answered()
    named = nameless.get_by_role("switch")
    expect(named).to_be_checked()
    expect(nameless.get_by_role("radio").first).to_be_disabled()
    for place, task in enumerate(pictures):
        wrong = int(
            (outputs[task][place].argmax(1) != pictures[task].labels).sum()
        )
        line = nameless.locator(f'.row[data-task="{task}"]')
        assert line.get_attribute("data-wrong") == str(wrong)
        told = f"{100 * wrong / 40:.1f}{SPACE}% wrong"
        expect(line).to_contain_text(told)


@pytest.mark.parametrize(
    "way", ["largest logit", "largest softmax", "least entropy"]
)
def test_without_its_name_a_picture_is_taken_as_the_rule_says(nameless, way):
    nameless.get_by_role("switch").focus()
    nameless.keyboard.press("Space")
    nameless.get_by_label(way).check()
    for task in ("a", "b", "c"):
        believed, wrong = by_hand(way, task)
        line = nameless.locator(f'.row[data-task="{task}"]')
        found = line.get_attribute("data-believed") or ""
        assert [int(n) for n in found.split(",")] == believed
        assert line.get_attribute("data-wrong") == str(wrong)
        label = line.locator(".bar").get_attribute("aria-label") or ""
        for name, count in zip("abc", believed):
            assert f"{name} {100 * count / 40:.1f}{SPACE}%" in label
        widths = line.locator(".bar span").evaluate_all(
            """async all => {
              await Promise.all(document.getAnimations().map(a => a.finished))
              return all.map(s => s.getBoundingClientRect().width)
            }"""
        )
        shares = [width / sum(widths) for width in widths]
        assert shares == pytest.approx([n / 40 for n in believed], abs=0.01)
    expect(nameless.locator("#told")).to_contain_text(f"the {way} is")


def test_a_shown_picture_is_one_of_the_test_pictures(nameless):
    pictures, outputs = answered()
    tasks = list(pictures)
    nameless.get_by_role("switch").click()
    shown = held(nameless.content())["shown"]
    buttons = nameless.locator("#gallery button")
    assert buttons.count() == len(shown) == 12
    for number, picture in enumerate(shown):
        task = tasks[picture["task"]]
        i = [0, 13, 26, 39][number % 4]
        label = pictures[task].classes[pictures[task].labels[i]]
        assert picture["label"] == label
        data = base64.b64decode(picture["image"].partition(",")[2])
        image = Image.open(io.BytesIO(data)).convert("RGB")
        assert image.size == (20, 20)
        buttons.nth(number).click()
        lines = nameless.locator("#heads tbody tr")
        for name, logits, line in zip(tasks, outputs[task], lines.all()):
            best = int(logits[i].argmax())
            cells = line.locator("td").all_inner_texts()
            assert cells[0] == pictures[name].classes[best]
            assert cells[1].replace("\u2212", "-") == f"{logits[i].max():.1f}"
        head = picture["believed"][0]
        believed = nameless.locator("#heads .believed")
        expect(believed).to_contain_text(f"{tasks[head]} (believed)")
        right = (
            head == picture["task"]
            and shown[number]["heads"][head][0] == label
        )
        looks = buttons.nth(number).get_attribute("class")
        assert looks == ("right" if right else "wrong")
        mark = "✓" if right else "✗"
        expect(buttons.nth(number)).to_contain_text(mark)


def test_outputs_of_too_few_heads_are_refused():
    pictures, outputs = answered()
    outputs["b"] = outputs["b"][:2]
    with pytest.raises(ValueError, match="b: 2 outputs for 3 views"):
        take_name_away(pictures, outputs)


# In the rendered book


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("chapter", ["room_to_spare", "step_by_step"])
def test_the_cutoff_is_dragged_in_the_book(browser, book, chapter, width):
    page, faults = visit(browser, f"{book}/book/{chapter}.html", width)
    with page:
        frame, data, _ = framed(page, "Drag the cutoff")
        for key, percent in (("Home", 0), ("ArrowRight", 1), ("End", 99)):
            frame.focus("#percent")
            page.keyboard.press(key)
            right = [
                layer["each"]["freed"][percent] for layer in data["layers"]
            ]
            assert shown(frame) == right
        frame.locator("#percent").fill("50")
        words = frame.locator("#told").inner_text()
        if chapter == "room_to_spare":
            study = recorded("pruning").query("fraction == 0.5")
            for stage in ("pruned", "retrained"):
                mean = study[study.stage == stage].top1_error.mean()
                assert f"{mean:.1f} %" in words
        framed(page, "Drag the cutoff")  # still seen whole
        assert faults == []


@pytest.mark.parametrize("width", [1440, 390])
def test_a_network_is_shared_out_in_the_book(browser, book, width):
    page, faults = visit(browser, f"{book}/book/what_if.html", width)
    with page:
        frame, data, _ = framed(page, "Share out")
        order, fractions = data["tasks"], tuple(data["fractions"])
        assert rows(frame) == right_rows(order, fractions)
        slider = frame.get_by_role("slider").nth(1)
        slider.fill("10")
        moved = (fractions[0], 0.1, *fractions[2:])
        assert rows(frame) == right_rows(order, moved)
        frame.select_option("#recorded", str(len(data["runs"]) - 1))
        run = data["runs"][-1]
        assert rows(frame) == right_rows(run["order"], run["fractions"])
        own = recorded("higher")
        mean = own[own.task == order[0]].top1_error.mean()
        assert f"{mean:.1f}{SPACE}±" in row(frame, order[0]).inner_text()
        framed(page, "Share out")
        assert faults == []


@pytest.mark.parametrize("width", [1440, 390])
def test_hours_and_money_are_moved_in_the_book(browser, book, width):
    page, faults = visit(browser, f"{book}/book/paper_scale.html", width)
    with page:
        frame, _, _ = framed(page, "Hours")
        frame.locator("#share").fill("60")
        right = sum(planners("packnet", T4, "no", 0.6))
        assert total(frame, "hours") == pytest.approx(right)
        frame.get_by_label("retrain imagenet").uncheck()
        assert total(frame, "hours") < right / 10
        framed(page, "Hours")
        assert faults == []


@pytest.mark.parametrize("width", [1440, 390])
def test_the_name_is_taken_away_in_the_book(browser, book, width):
    page, faults = visit(browser, f"{book}/book/limits.html", width)
    with page:
        frame, data, _ = framed(page, "Take the")
        frame.get_by_role("switch").click()
        for way in data["ways"]:
            frame.get_by_label(way["name"]).check()
            found = frame.eval_on_selector_all(
                ".row", "all => all.map(r => +r.dataset.wrong)"
            )
            assert found == way["wrong"] and sum(found) > sum(data["named"])
        frame.locator("#gallery button").last.click()
        framed(page, "Take the")
        assert faults == []


# All


@pytest.fixture(params=["cut", "shared", "planned", "unnamed"])
def either(request) -> Path:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_interactive_keeps_nobody_out(browser, either, scheme):
    for page in opened(browser, either, color_scheme=scheme):
        ground = page.evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        level = int(re.findall(r"\d+", ground)[0])
        assert (level < 60) == (scheme == "dark")
        assert serious(page) == []


def test_an_interactive_fits_a_phone(browser, either):
    for page in opened(browser, either, width=390, has_touch=True):
        for slider in page.get_by_role("slider").all():
            slider.fill("90")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
        small = page.eval_on_selector_all(
            "svg text", "all => all.map(t => parseFloat(getComputedStyle(t)"
            ".fontSize) * t.ownerSVGElement.getScreenCTM().a)"
        )  # fmt: skip
        assert all(size > 9.5 for size in small)


def test_nothing_moves_where_motion_is_unwanted(browser, either):
    asked = """() => [...document.querySelectorAll("*")].filter(e =>
      getComputedStyle(e).transitionDuration !== "0s").length"""
    for motion, moves in (("reduce", False), ("no-preference", True)):
        for page in opened(browser, either, reduced_motion=motion):
            moving = page.evaluate(asked) > 0
            assert not moving or moves


def test_a_page_is_small():
    torch.manual_seed(0)
    many = {f"layer {n}": torch.randn(400, 400) for n in range(3)}
    assert len(drag_cutoff(many, errors=errors()).html) < 50_000
    assert len(share_out(TASKS, (0.5, 0.75, 0.75), runs()).html) < 25_000
