"""The playground's own code, run where its readers run it."""

import json
import sys
from pathlib import Path

from pandas import DataFrame

from packnet_book.playground.bundle import ENGINE, join, read

DRAWS = 50
SETTINGS = json.loads(read("defaults.json"))
TOOLS = Path(__file__).parents[2] / "book" / "tools"
RUN = """settings => METHODS.map(method => {
  const begun = performance.now()
  const errors = wholeDraw(settings, method)
  return [method, errors, (performance.now() - begun) / 1000]
})"""


def playground(seed: int, folder: Path) -> DataFrame:
    """Fifty draws of the playground's four tasks by four methods."""
    sys.path.append(str(TOOLS))
    from browser import chromium

    rows = []
    with chromium() as browser:
        page = browser.new_page()
        page.add_script_tag(content=join(ENGINE))
        for draw in range(1, DRAWS + 1):
            made = page.evaluate(RUN, {**SETTINGS, "seed": draw})
            for method, errors, seconds in made:
                for task, error in zip(SETTINGS["order"], errors):
                    rows.append(
                        {
                            "draw": draw,
                            "method": method,
                            "task": task,
                            "error": 100 * error,
                            "seconds": seconds,
                            "browser": f"Chromium {browser.version}",
                        }
                    )
    return DataFrame(rows)
