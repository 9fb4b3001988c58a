"""The `packnet` command: results on standard output, progress on error."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from packnet_book.explorer import explore
from packnet_book.own_task import add, measure
from packnet_book.photos.fetching import fetch
from packnet_book.photos.manifest import known_sets
from packnet_book.runs.contents import summary
from packnet_book.runs.methods import METHODS
from packnet_book.runs.presets import PRESETS, preset, shortened, with_rates
from packnet_book.runs.runner import Run
from packnet_core import __version__, load
from packnet_core.errors import ByHand, PackNetError
from packnet_core.trunks import NAMES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 success, 1 failure (one line), 2 wrong usage."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `head`, or a pager that was left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except PackNetError as error:
        return _fail(str(error))
    except FileNotFoundError as error:
        return _fail(f"{error.filename}: no such file" if error.filename
                     else str(error))  # fmt: skip
    except OSError as error:
        return _fail(
            f"{error.filename}: {error.strerror}; free some space, or name "
            "a place that can be written"
            if error.filename
            else str(error)
        )
    except torch.OutOfMemoryError:
        return _fail(
            "the graphics card's memory is too small for a batch; `packnet "
            "run` takes --accumulate N (2, 4, ...) and --precision bf16"
        )
    except KeyboardInterrupt:
        return _fail("stopped; the same command goes on from here")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="packnet",
        description="Several tasks in one network, by iterative pruning.",
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    run = commands.add_parser(
        "run", parents=[_training()], help="train a preset, or go on with it"
    )
    run.add_argument("preset", choices=PRESETS, help="what to train")
    run.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="directory of the run; goes on if it has begun",
    )
    run.add_argument(
        "--data", type=Path, metavar="DIR", help="directory with the pictures"
    )
    run.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="ImageNet weights as torchvision names them, "
        ".pth or .safetensors (default: one in the data directory, or "
        "download)",
    )
    run.add_argument(
        "--method",
        nargs="+",
        choices=METHODS,
        metavar="NAME",
        default=["packnet"],
        help=", ".join(METHODS),
    )
    run.add_argument("--arch", choices=NAMES, help="another network")
    run.add_argument(
        "--size", type=int, metavar="PX", help="another side of the pictures"
    )
    run.add_argument(
        "--lr",
        type=_positive,
        metavar="R",
        help="another learning rate of the trunk where a task is added",
    )
    run.add_argument(
        "--head-lr",
        type=_positive,
        metavar="R",
        help="another learning rate of each new head",
    )
    run.add_argument(
        "--precision",
        choices=("no", "bf16", "fp16"),
        help="bf16 or fp16: mixed precision, for graphics cards (default: "
        "no, or as `accelerate launch` says)",
    )
    run.add_argument(
        "--accumulate",
        type=int,
        default=1,
        metavar="N",
        help="put each batch through in N pieces, to need less memory",
    )
    run.set_defaults(command=_run)

    show = commands.add_parser("show", help="what is in a packed network")
    show.add_argument("file", type=Path, metavar="FILE")
    show.add_argument(
        "--html",
        type=Path,
        metavar="OUT",
        help="also write a page in which to look at every layer",
    )
    show.set_defaults(command=_show)

    evaluate = commands.add_parser("evaluate", help="test one of its tasks")
    evaluate.add_argument("file", type=Path, metavar="FILE")
    evaluate.add_argument("--task", required=True, metavar="NAME")
    evaluate.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="holds test/<class>/* or val/<class>/*",
    )
    evaluate.set_defaults(command=_evaluate)

    new = commands.add_parser(
        "add", parents=[_training()], help="add your own pictures as a task"
    )
    new.add_argument("file", type=Path, metavar="FILE")
    new.add_argument("--task", required=True, metavar="NAME")
    new.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="holds train/<class>/* and test/<class>/*",
    )
    new.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE2",
        help="the new file; FILE itself stays as it is",
    )
    new.add_argument(
        "--prune",
        type=float,
        metavar="F",
        help="first free the smallest F (0 to 1) of the "
        "weights of the last task in FILE",
    )
    new.add_argument(
        "--retrain",
        type=Path,
        metavar="DIR2",
        help="pictures of that last task, to train it again "
        "after pruning (drawn tasks need none)",
    )
    new.add_argument(
        "--cropped",
        action="store_true",
        help="the pictures are cut out along their objects: "
        "use them whole, without random squares",
    )
    new.set_defaults(command=_add)

    data = commands.add_parser(
        "data", help="download and prepare a real set of pictures"
    )
    data.add_argument(
        "name", choices=known_sets(), help=", ".join(known_sets())
    )
    data.add_argument(
        "--root",
        type=Path,
        required=True,
        metavar="DIR",
        help="where it is put: what `packnet run --data` is given",
    )
    data.add_argument(
        "--size",
        type=int,
        default=224,
        metavar="PX",
        help="side that the pictures are prepared for (default: 224)",
    )
    data.add_argument(
        "--mirror",
        metavar="URL",
        help="download URL/<file> instead of the makers' addresses; "
        "checksums stay the same",
    )
    data.set_defaults(command=_data)
    return top


def _training() -> argparse.ArgumentParser:
    """The options of every command that trains."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--seed", type=int, default=0, metavar="N")
    shared.add_argument(
        "--subset",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="use this share of each class's pictures, for a "
        "short run (default: 1)",
    )
    shared.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="train so many epochs in every phase",
    )
    return shared


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: give a number above 0")
    return number


def _run(options: argparse.Namespace) -> None:
    chosen = preset(options.preset)
    architecture = chosen.architecture
    if options.arch and options.arch != architecture.name:
        architecture = replace(architecture, name=options.arch)
    if options.size:
        architecture = replace(architecture, size=options.size)
    chosen = replace(chosen, architecture=architecture)
    if options.epochs:
        chosen = shortened(chosen, options.epochs)
    chosen = with_rates(chosen, options.lr, options.head_lr)
    made = Run(
        chosen, options.out, seed=options.seed, data=options.data,
        weights=options.weights, subset=options.subset,
        precision=options.precision, accumulate=options.accumulate,
    )  # fmt: skip
    table = made.carry_out(options.method)
    if made.accelerator.is_main_process:
        print(table.round(2).to_string(index=False))
    made.accelerator.end_training()


def _show(options: argparse.Namespace) -> None:
    if options.html:
        explore(options.file).write(options.html)
        print(f"{options.html}: open it in a browser", file=sys.stderr)
    print(summary(options.file))


def _evaluate(options: argparse.Namespace) -> None:
    errors = measure(load(options.file), options.task, options.data)
    print(f"{options.task}: {errors}")


def _add(options: argparse.Namespace) -> None:
    report = add(
        options.file, options.task, options.data, options.out,
        prune=options.prune, retrain=options.retrain,
        cropped=options.cropped, subset=options.subset,
        epochs=options.epochs, seed=options.seed,
    )  # fmt: skip
    print(report)


def _data(options: argparse.Namespace) -> None:
    about = known_sets()[options.name]
    try:
        print(fetch(about, options.root, options.size, mirror=options.mirror))
    except ByHand as error:
        print(error.steps, flush=True)
        raise


def _fail(message: str) -> int:
    print(f"packnet: {message}".replace("\n", " "), file=sys.stderr)
    return 1
