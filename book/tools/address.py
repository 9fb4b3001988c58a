"""The repository's address: one setting, one command that sets it.

`_config.yml` holds it (`repository: url`). This command sets it there,
and everywhere else that it stands: install cells, buttons, texts. The
README gets badges that open a chapter, as long as an address is set.

    python book/tools/address.py https://github.com/me/packnet-book

Stored outputs stay as they are. As long as the owner is `_owner_`, which
is no name that GitHub gives to anybody, the address is not set.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACEHOLDER = "https://github.com/_owner_/packnet-book"
FORM = re.compile(
    r"https://github\.com/"
    r"(?P<owner>(?!.*--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?|_owner_)"
    r"/(?P<name>(?!\.+$)[\w.-]{1,100}(?<!\.git))",
    re.ASCII,
)
SETTING = re.compile(r"^repository:.*\n  url: (\S+)$", re.MULTILINE)
PLACES = ("_config.yml", "*.md", "CITATION.cff", "pyproject.toml",
          "book/*.md", "book/*.ipynb")  # fmt: skip
BADGES = re.compile(
    r"(?<=<!-- where it is -->\n).*?(?=<!-- /where it is -->)", re.DOTALL
)
OPENED = "book/step_by_step.ipynb"  # by a badge
BEFORE = r"(github\.com/|/github/|/gh/)"  # GitHub, Colab, Binder


class BadAddress(ValueError):
    """No address of a repository on GitHub."""


def parts(address: str) -> tuple[str, str]:
    """Owner and name of a repository. Raises BadAddress."""
    match = FORM.fullmatch(address)
    if match is None:
        raise BadAddress(
            f"{address!r} is no address of a repository; give one like "
            "https://github.com/me/packnet-book, without anything behind it"
        )
    return match["owner"], match["name"]


def setting(root: Path = ROOT) -> str:
    """The address that is set. Raises BadAddress if none is."""
    match = SETTING.search((root / "_config.yml").read_text("utf-8"))
    if match is None:
        raise BadAddress("_config.yml: no `url` under `repository`")
    parts(match[1])
    return match[1]


def site(address: str) -> str:
    """Where GitHub Pages shows the book of a repository."""
    owner, name = parts(address)
    host = f"{owner}.github.io".lower()
    folder = "" if name.lower() == host else f"{name}/"
    return f"https://{host}/{folder}"


def badges(address: str) -> str:
    """The way to the page, and badges that open a chapter; none as long
    as no address is set, and so nothing is there to be opened."""
    if address == PLACEHOLDER:
        return ""
    slug = "/".join(parts(address))
    file = f"github.com/{slug}/blob/main/{OPENED}"
    colab, kaggle = "https://colab.research.google.com", "https://kaggle.com"
    binder = "https://mybinder.org"
    made = [
        f"[![Open in {name}]({badge})]({link})"
        for name, badge, link in (
            ("Colab", f"{colab}/assets/colab-badge.svg",
             f"{colab}/{file.replace('.com', '', 1)}"),
            ("Kaggle", f"{kaggle}/static/images/open-in-kaggle.svg",
             f"{kaggle}/kernels/welcome?src=https://{file}"),
            ("Binder", f"{binder}/badge_logo.svg",
             f"{binder}/v2/gh/{slug}/main?urlpath=lab/tree/{OPENED}"),
        )
    ]  # fmt: skip
    first = f"**[Read it]({site(address)})**, or run a chapter:"
    return "\n".join([first, *made, ""])


def put(address: str, root: Path = ROOT) -> list[Path]:
    """Set the address everywhere; the files that were changed."""
    old, new = setting(root), address
    slug = "/".join(parts(new))

    def renew(text: str) -> str:
        text = re.sub(
            BEFORE + re.escape("/".join(parts(old))) + r"(?![\w-]|\.\w)",
            lambda match: match[1] + slug,
            text,
        )
        text = text.replace(site(old), site(new))
        return BADGES.sub(lambda _: badges(new), text)

    changed = []
    for path in sorted({p for place in PLACES for p in root.glob(place)}):
        before = path.read_bytes().decode("utf-8")
        notebook = path.suffix == ".ipynb"
        after = in_sources(before, renew) if notebook else renew(before)
        if after != before:
            path.write_bytes(after.encode("utf-8"))
            changed.append(path)
    return changed


def in_sources(text: str, renew) -> str:
    """A notebook's file with its cells' sources renewed, nothing else."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        lines = "".join(cell["source"]).splitlines(keepends=True)
        cell["source"] = [renew(line) for line in lines]
    # as nbformat writes it
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python book/tools/address.py URL", file=sys.stderr)
        return 2
    try:
        changed = put(arguments[0])
    except BadAddress as error:
        print(f"address: {error}", file=sys.stderr)
        return 1
    for path in changed:
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
