"""The recorded draws of the playground, summed up."""

from packnet_book.runs.records import recorded, recorded_provenance
from packnet_book.runs.statistics import mean_interval

METHODS = {
    "separate": "Separate networks",
    "packnet": "PackNet",
    "heads": "Outputs alone",
    "finetune": "Plain training",
}


def book_table() -> dict:
    """Mean error and half of its 95 % interval, by method and task, in %.

    Also: how many draws, when, in which browser.
    """
    table = recorded("playground")
    tasks = list(dict.fromkeys(table.task))
    errors = table.pivot(
        index="draw", columns=["method", "task"], values="error"
    )
    rows = []
    for method in METHODS:
        cells = [mean_interval(errors[method, task]) for task in tasks]
        rows.append([method, [[cell.mean, cell.half] for cell in cells]])
    made = recorded_provenance("playground")["seeds"]["0"]
    return {
        "tasks": tasks,
        "rows": rows,
        "draws": len(errors),
        "date": made["date"][:10],
        "browser": table.browser[0],
    }
