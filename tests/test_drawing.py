"""The drawing on the front page is the filter that the chapter trains."""

import re

import nbformat

from tests.contents import INDEX, ROOT

DRAWING = "_static/three-tasks.svg"
COLOURS = {"#f1f4f8": 0, "#56b4e9": 1, "#e69f00": 2, "#009e73": 3}
STAGES = ["I trained", "I pruned", "II trained", "II pruned", "III trained"]
SQUARE = re.compile(r'<rect x="([\d.]+)" y="([\d.]+)"[^>]* fill="([^"]+)"')


def drawn() -> list[list[int]]:
    """The owners of the 25 squares, row by row, for each of five filters."""
    filters: list[list[tuple[int, int, int]]] = [[] for _ in STAGES]
    for x, y, colour in SQUARE.findall((ROOT / "book" / DRAWING).read_text()):
        column = int(float(x)) - 20
        square = int(float(y)), column, COLOURS[colour]
        filters[column // 160].append(square)
    return [[owner for _, _, owner in sorted(each)] for each in filters]


def said() -> list[str]:
    """What the chapter's figures say of the filter, one text a figure."""
    path = ROOT / "book" / "step_by_step.ipynb"
    return [
        output.data["text/plain"]
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if {"image/png", "text/html"} & output.get("data", {}).keys()
    ]


def shares(text: str, stage: str) -> list[int]:
    """How many weights are free, and how many each task owns."""
    [stage] = re.findall(rf"(?<!I){stage}: ([^.;]*)", text)
    found = [
        re.search(rf"(\d+) of task {task}\b", stage)
        for task in ("I", "II", "III")
    ]
    free = re.search(r"(\d+) free", stage)
    return [int(hit[1]) if hit else 0 for hit in (free, *found)]


def test_every_filter_is_shared_out_as_in_the_chapter():
    [text] = [text for text in said() if text.startswith("7 stages")]
    for owners, stage in zip(drawn(), STAGES, strict=True):
        assert len(owners) == 25
        counted = [owners.count(owner) for owner in COLOURS.values()]
        assert counted == shares(text, stage), stage


def test_the_squares_of_the_first_task_are_those_of_the_chapter():
    [text] = [
        text
        for text in said()
        if "I retrained" in text
        and "II trained" in text
        and "row by row" in text
    ]
    rows = re.findall(r"II trained: [^;]*; row by row ([^.]*)\.", text)
    owners = [
        1 if square.endswith(" I") else 2
        for square in re.split(r", | / ", rows[0])
    ]
    assert drawn()[2] == owners


def test_its_words_give_the_same_numbers_wherever_it_stands():
    last = [drawn()[-1].count(task) for task in (1, 2, 3)]
    words = "so the tasks own {}, {} and {} weights".format(*last)
    for page in (f"{INDEX}.md", "README.md", "book/slides/lecture.md"):
        text = (ROOT / page).read_text("utf-8")
        [alternative] = re.findall(rf"!\[([^]]*)\]\([^)]*{DRAWING}\)", text)
        assert words in alternative, page
