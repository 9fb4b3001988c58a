"""The `packnet` command: results on standard output, progress on error."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import partial
from io import TextIOWrapper
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import torch
import typer
from typer import Argument, Option
from typer.core import TyperGroup

from packnet_book import own_task
from packnet_book.explorer import explore
from packnet_book.photos.errors import ByHand
from packnet_book.photos.fetching import fetch
from packnet_book.photos.manifest import known_sets
from packnet_book.places import refuse_name
from packnet_book.runs.contents import summary
from packnet_book.runs.methods import METHODS
from packnet_book.runs.presets import PRESETS, Drawn, shortened, with_rates
from packnet_book.runs.runner import Run
from packnet_core import __version__, load
from packnet_core.errors import BadRun, PackNetError
from packnet_core.trunks import NAMES

FAILURES = (
    PackNetError, OSError, MemoryError, torch.OutOfMemoryError,
    KeyboardInterrupt,
)  # fmt: skip
RESUMED = ("run", "add", "data")  # these go on where they were stopped
TRY_AGAIN = 75  # as sysexits.h has it: given again, the command goes on


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0 for success, 1 for failure (one line), 2 for wrong usage,
    75 if it was stopped, by Ctrl-C or SIGTERM, and would go on.
    """
    words = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):  # of whatever encoding
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _terminated_like_interrupted():
            typer.main.get_command(app)(
                _a_flag_each(words), prog_name="packnet"
            )
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM, with which schedulers announce the end, acts like Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _a_flag_each(words: Sequence[str]) -> list[str]:
    """`--method a b` as `--method a --method b`, the form that is read."""
    spread, several = [], False
    for before, word in zip(["", *words], words):
        if word.startswith("-"):
            several = word == "--method"
        elif several and before != "--method":
            spread.append("--method")
        spread.append(word)
    return spread


class Commands(TyperGroup):
    """The commands: one that fails says so in one line."""

    def invoke(self, ctx: Any) -> None:
        """Run one; raises typer.Exit."""
        try:
            super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # `head`, or a pager that was left
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except FAILURES as error:
            command = ctx.invoked_subcommand or ""
            said = _said(error, command).replace("\n", " ")
            print(f"packnet: {said}", file=sys.stderr)
            stopped = isinstance(error, KeyboardInterrupt)
            resumed = stopped and command in RESUMED
            raise typer.Exit(TRY_AGAIN if resumed else 1) from error


def _said(error: BaseException, command: str) -> str:
    """What went wrong, and what to do."""
    if isinstance(error, KeyboardInterrupt):
        if command in RESUMED:
            return "stopped; the same command goes on from here"
        return "stopped; nothing was written"
    if isinstance(error, torch.OutOfMemoryError):
        return (
            "the graphics card's memory is too small for a batch; `packnet "
            "run` takes --accumulate N (2, 4, ...) and --precision bf16"
        )
    if isinstance(error, MemoryError):
        return "the memory is too small; take fewer pictures (--subset)"
    if not isinstance(error, OSError) or not error.filename:
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"{error.filename}: no such file; name another"
    cure = "free some space, or name a place that can be written"
    if isinstance(error, PermissionError):
        cure = "allow yourself to use it, or name a place that can be written"
    if isinstance(error, IsADirectoryError):
        cure = "name a file"
    if isinstance(error, FileExistsError | NotADirectoryError):
        cure = "a file is in the way: name a place that can be written"
    return f"{error.filename}: {error.strerror}; {cure}"


def _only(
    fits: Callable[[float], bool], range: str
) -> Callable[[float | None], float | None]:
    """A check of an option: a number in a range, which is described."""

    def check(number: float | None) -> float | None:
        if number is not None and not fits(number):
            raise typer.BadParameter(f"{number}: give a number {range}")
        return number

    return check


def _readable(file: Path) -> Path:
    """The file, if a network could be read from it. Raises BadRun."""
    refuse_name(file, "rename it, or the folder that it is in")
    return file


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


if TYPE_CHECKING:
    Preset: TypeAlias = str
    Network: TypeAlias = str
    RealSet: TypeAlias = str
    Method: TypeAlias = str
else:  # a type checker cannot look into them
    Preset, Network = Literal[tuple(PRESETS)], Literal[NAMES]
    RealSet = Literal[tuple(known_sets())]
    Method = StrEnum("Method", [(name, name) for name in METHODS])

DIR = partial(Option, metavar="DIR")
COUNT = partial(Option, metavar="N", min=1)
SIZE = partial(Option, metavar="PX", min=1)
RATE = partial(
    Option, metavar="R", callback=_only(lambda x: 0 < x < inf, "above 0")
)
Packed = Annotated[Path, Argument(metavar="FILE", callback=_readable)]
Task = Annotated[str, Option(metavar="NAME")]
Seed = Annotated[int, Option(metavar="N")]
Subset = Annotated[
    float,
    Option(
        metavar="SHARE",
        callback=_only(lambda x: 0 < x <= 1, "above 0, at most 1"),
        help="use this share of each class's pictures, for a short run",
    ),
]
Epochs = Annotated[
    int | None, COUNT(help="train so many epochs in every phase")
]

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback()
def packnet(
    version: Annotated[
        bool,
        Option("--version", callback=_version, is_eager=True,
               help="show the version and exit")
    ] = False,
) -> None:  # fmt: skip
    """Several tasks in one network, by iterative pruning."""


@app.command()
def run(
    preset: Annotated[Preset, Argument(help="what to train")],
    out: Annotated[
        Path, DIR(help="directory of the run; goes on if it has begun")
    ],
    data: Annotated[
        Path | None, DIR(help="directory with the pictures")
    ] = None,
    weights: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="ImageNet weights as torchvision names them, .pth or "
            ".safetensors (default: one in the data directory, the book's "
            "own, or a download)",
        ),
    ] = None,
    method: Annotated[
        list[Method] | None,
        Option(metavar="NAME ...", help=", ".join(METHODS)),
    ] = None,
    arch: Annotated[Network | None, Option(help="another network")] = None,
    size: Annotated[
        int | None, SIZE(help="another side of the pictures")
    ] = None,
    lr: Annotated[
        float | None,
        RATE(help="another learning rate of the trunk where a task is added"),
    ] = None,
    head_lr: Annotated[
        float | None, RATE(help="another learning rate of each new head")
    ] = None,
    precision: Annotated[
        Literal["no", "bf16", "fp16"] | None,
        Option(
            help="bf16 or fp16: mixed precision, for graphics cards "
            "(default: no, or as `accelerate launch` says)"
        ),
    ] = None,
    accumulate: Annotated[
        int,
        COUNT(help="put each batch through in N chunks, to need less memory"),
    ] = 1,
    seed: Seed = 0,
    subset: Subset = 1.0,
    epochs: Epochs = None,
) -> None:
    """Train a preset, or go on with it."""
    chosen = PRESETS[preset]
    if weights and not chosen.pretrained:
        raise BadRun(
            f"--weights: {preset} starts from none; leave it out, or take "
            "another preset"
        )
    if data and all(isinstance(task, Drawn) for task in chosen.tasks):
        raise BadRun(
            f"--data: {preset} draws its pictures; leave it out, or take "
            "another preset"
        )
    if data and not data.is_dir():  # now, not after weights were fetched
        raise BadRun(f"--data: {data}: no such folder; name another")
    architecture = chosen.architecture
    if arch and arch != architecture.name:
        architecture = replace(architecture, name=arch)
    if size:
        architecture = replace(architecture, size=size)
    chosen = replace(chosen, architecture=architecture)
    if epochs:
        chosen = shortened(chosen, epochs)
    made = Run(
        with_rates(chosen, lr, head_lr), out, seed=seed, data=data,
        weights=weights, subset=subset, precision=precision,
        accumulate=accumulate,
    )  # fmt: skip
    table = made.carry_out([str(one) for one in method or ["packnet"]])
    if made.accelerator.is_main_process:
        print(table.round(2).to_string(index=False))
    made.accelerator.end_training()


@app.command()
def show(
    file: Packed,
    html: Annotated[
        Path | None,
        Option(
            metavar="OUT",
            help="also write a page in which to look at every layer",
        ),
    ] = None,
) -> None:
    """Show what is in a packed network."""
    if html and html.exists() and html.samefile(file):
        raise BadRun(f"{html}: is read, and stays as it is; name another")
    if html:
        explore(file).write(html)
        print(f"{html}: open it in a browser", file=sys.stderr)
    print(summary(file))


@app.command()
def evaluate(
    file: Packed,
    task: Task,
    data: Annotated[Path, DIR(help="holds test/<class>/* or val/<class>/*")],
) -> None:
    """Test one of its tasks."""
    print(f"{task}: {own_task.measure(load(file), task, data)}")


@app.command()
def add(
    file: Packed,
    task: Task,
    data: Annotated[
        Path, DIR(help="holds train/<class>/* and test/<class>/*")
    ],
    out: Annotated[
        Path,
        Option(
            metavar="FILE2", help="the new file; FILE itself stays as it is"
        ),
    ],
    prune: Annotated[
        float | None,
        Option(
            metavar="F",
            callback=_only(lambda x: 0 <= x < 1, "from 0 to below 1"),
            help="first free the smallest F (0 to 1) of the weights of the "
            "last task in FILE",
        ),
    ] = None,
    retrain: Annotated[
        Path | None,
        Option(
            metavar="DIR2",
            help="pictures of that last task, to train it again after "
            "pruning (drawn tasks need none)",
        ),
    ] = None,
    cropped: Annotated[
        bool,
        Option(
            "--cropped",
            help="the pictures are cut out along their objects: use them "
            "whole, without random squares",
        ),
    ] = False,
    seed: Seed = 0,
    subset: Subset = 1.0,
    epochs: Epochs = None,
) -> None:
    """Add your own pictures as a task."""
    report = own_task.add(
        file, task, data, out, prune=prune, retrain=retrain, cropped=cropped,
        subset=subset, epochs=epochs, seed=seed,
    )  # fmt: skip
    print(report)


@app.command()
def data(
    name: Annotated[RealSet, Argument(help="which set")],
    root: Annotated[
        Path, DIR(help="where it is put: what `packnet run --data` is given")
    ],
    size: Annotated[
        int, SIZE(help="side that the pictures are prepared for")
    ] = 224,
    mirror: Annotated[
        str | None,
        Option(
            metavar="URL",
            help="download URL/<file> instead of the makers' addresses; "
            "checksums stay the same",
        ),
    ] = None,
) -> None:
    """Download and prepare a real set of pictures."""
    try:
        print(fetch(known_sets()[name], root, size, mirror=mirror))
    except ByHand as error:
        print(error.steps, flush=True)
        raise
