"""A reader's own pictures: test a packed network on them, add a task."""

import hashlib
import uuid
from glob import escape
from pathlib import Path

import torch

from packnet_book.photos.layouts import read_classes
from packnet_book.photos.listing import Listing
from packnet_book.photos.preparation import Preparation
from packnet_book.photos.store import in_memory
from packnet_book.places import refuse_name
from packnet_book.runs.presets import (
    MINIATURE,
    PRESETS,
    Drawn,
    Preset,
    shortened,
)
from packnet_book.runs.provenance import digest, digest_of
from packnet_core import load
from packnet_core.errors import (
    BadPictures,
    BadRun,
    BadTask,
    BadTrunk,
    NoFreeWeights,
    NoTask,
)
from packnet_core.evaluation import ErrorRates, evaluate
from packnet_core.images import Pictures, generator
from packnet_core.network import RESERVED, PackNet
from packnet_core.pruning import checked
from packnet_core.training import Phase, fit


def measure(network: PackNet, task: str, data: Path) -> ErrorRates:
    """Errors of one task on `data/test`, or `data/val` if there is none.

    Raises UnknownTask, BadPictures.
    """
    number = network.number(task)
    there = [name for name in ("test", "val") if (data / name).is_dir()]
    split = there[0] if there else "test"
    classes = network.records[number - 1].classes
    listing = read_classes(data, split, classes=classes)
    pictures = _decoded(listing, _preparation(network, task))
    with network.view(task):
        return evaluate(network, pictures, size=_size(network))


def add(
    file: Path,
    task: str,
    data: Path,
    out: Path,
    *,
    prune: float | None = None,
    retrain: Path | None = None,
    cropped: bool = False,
    subset: float = 1.0,
    epochs: int | None = None,
    seed: int = 0,
) -> str:
    """Train the pictures in `data` as a new task of the network in `file`.

    prune: fraction of the last task's weights to free beforehand;
    retrain: folder with that task's pictures, to train it again; cropped:
    the pictures show just their object. Writes `out`, returns what was
    done and measured. What can be refused is refused before anything is
    trained. While it trains, two checkpoints lie beside `out`: stopped, or
    killed, it goes on where it was when it is called again in this way.
    Raises NoFreeWeights, BadPictures, BadRun, and others.
    """
    _refuse_options(prune, retrain, subset, epochs)
    _refuse_place(file, out)
    network = load(file)
    size = _size(network)
    listed = read_classes(data, "train")
    listed_test = read_classes(data, "test", classes=listed.classes)
    _refuse_task(network, task, file, prune)
    preparation = Preparation(size, cropped)
    train = _decoded(listed.subset(subset), preparation)
    test = _decoded(listed_test.subset(subset), preparation)
    recipe = PRESETS.get(str(network.provenance.get("preset")), MINIATURE)
    if epochs is not None:
        recipe = shortened(recipe, epochs)
    said = []
    if prune is not None:
        pictures = _pictures_of(network, retrain, recipe, subset)
        said.append(_make_room(network, prune, pictures, recipe, seed, out))
        del pictures
    with torch.random.fork_rng([]):
        torch.manual_seed(generator(seed, task).initial_seed())
        network.add_task(task, train.classes)
    _train(network, train, recipe.add, f"{seed}/{task}", out)
    errors = evaluate(network, test, size=size)
    network.provenance["cropped"] = _cropped(network) | {task: cropped}
    network.save(out)
    for checkpoint in out.parent.glob(f"{escape(out.name)}.*.checkpoint"):
        checkpoint.unlink(missing_ok=True)
    said.append(f"{task}: {errors}")
    return "\n".join([*said, f"written to {out}"])


def _make_room(
    network: PackNet,
    fraction: float,
    pictures: Pictures | None,
    recipe: Preset,
    seed: int,
    out: Path,
) -> str:
    """Prune the last task, and train it again if its pictures are here."""
    task = network.tasks[-1]
    network.prune(fraction)
    if not _free(network):
        raise NoFreeWeights(
            f"--prune {fraction} frees no weight of {task!r}; give a larger "
            "fraction"
        )
    if pictures is None:
        return (
            f"{task}: pruned by {fraction}, not trained again (name its "
            "pictures with --retrain DIR); its error has risen, test it"
        )
    _train(network, pictures, recipe.retrain, f"{seed}/{task}", out)
    return f"{task}: pruned by {fraction} and trained again"


def _train(
    network: PackNet, pictures: Pictures, phase: Phase, seed: str, out: Path
) -> None:
    """Train a phase; a checkpoint beside `out` is named after all that the
    end depends on: the network, the pictures, the phase and the seed."""
    state = network.state_dict().values()
    begun = digest(t.cpu() for t in state if isinstance(t, torch.Tensor))
    text = f"{begun} {digest_of(pictures)} {phase} {seed}"
    # A name from the command line need not be UTF-8.
    code = text.encode("utf-8", "surrogateescape")
    name = hashlib.sha256(code).hexdigest()[:16]
    checkpoint = out.with_name(f"{out.name}.{name}.checkpoint")
    fit(
        network, pictures, phase, size=_size(network), seed=seed,
        checkpoint=checkpoint,
    )  # fmt: skip


def _pictures_of(
    network: PackNet, folder: Path | None, recipe: Preset, subset: float
) -> Pictures | None:
    """The last task's pictures, where they are known or drawn."""
    task, size = network.tasks[-1], _size(network)
    classes = network.records[-1].classes
    if folder is not None:
        listing = read_classes(folder, "train")
        if listing.classes != classes:
            raise BadPictures(
                f"{folder}: its classes are not those of {task!r}; name "
                "the folder that the task was trained on"
            )
        return _decoded(listing.subset(subset), _preparation(network, task))
    for source in recipe.tasks:
        if isinstance(source, Drawn) and source.name == task:
            return source.read("train", size, None, subset)
    return None


def _refuse_options(
    prune: float | None,
    retrain: Path | None,
    subset: float,
    epochs: int | None,
) -> None:
    """Raise BadFraction, or BadRun for what cannot be or is not used."""
    if prune is not None:
        checked(prune)
    faults = {
        "--retrain trains the last task again after it was pruned: give "
        "--prune F too, or leave it out": retrain and prune is None,
        f"--epochs {epochs}: give 1 or more": (
            epochs is not None and epochs < 1
        ),
        f"--subset {subset}: give a share above 0, up to 1": (
            not 0 < subset <= 1
        ),
    }
    for fault, there in faults.items():
        if there:
            raise BadRun(fault)


def _refuse_place(file: Path, out: Path) -> None:
    """Raise BadRun, OSError now, not after an hour of training."""
    refuse_name(out)
    if out.is_dir():
        raise BadRun(f"{out}: a folder; name a file, as in {out / file.name}")
    if out.exists() and out.samefile(file):
        raise BadRun(f"{out}: is read, and stays as it is; name another file")
    if out.exists() and not out.is_file():
        raise BadRun(f"{out}: a device or a pipe; name a file")
    out.parent.mkdir(parents=True, exist_ok=True)
    probe = out.with_name(f".probe-{uuid.uuid4().hex}")
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:  # say which file, not which hidden one
        raise OSError(error.errno, error.strerror, str(out)) from error


def _refuse_task(
    network: PackNet, task: str, file: Path, prune: float | None
) -> None:
    """Raise NoTask where there is none to prune, BadTask, NoFreeWeights
    for a task that could not be added."""
    if prune is not None and not network.tasks:
        raise NoTask(
            f"{file}: holds no task to free weights of; leave out --prune"
        )
    taken = [*network.tasks, *RESERVED]
    if task != task.strip() or len(task.splitlines()) > 1:
        raise BadTask(
            f"task {task!r}: give a name that can be read, on one line, "
            "with no spaces around it"
        )
    if not task or task in taken:
        raise BadTask(
            f"task {task!r} needs a name of its own; taken: {taken}"
        )
    if prune is None and not _free(network):
        raise NoFreeWeights(
            f"{file}: no free weights left for {task!r}; give --prune F "
            "(0.5, say) to free the smallest weights of "
            f"{network.tasks[-1]!r}"
        )


def _free(network: PackNet) -> int:
    """How many weights no task owns."""
    return sum(counts[0] for counts in network.owner_counts().values())


def _cropped(network: PackNet) -> dict:
    """Which tasks' pictures show just their object, as the file says."""
    known = network.provenance.get("cropped")
    return dict(known) if isinstance(known, dict) else {}


def _size(network: PackNet) -> int:
    architecture = getattr(network.trunk, "architecture", None)
    if architecture is None:
        raise BadTrunk(
            "the size of this network's pictures is not known: its trunk "
            "was not built by this library"
        )
    return architecture.size


def _preparation(network: PackNet, task: str) -> Preparation:
    return Preparation(_size(network), bool(_cropped(network).get(task)))


def _decoded(listing: Listing, preparation: Preparation) -> Pictures:
    labels = torch.tensor(listing.labels)
    return Pictures(in_memory(listing, preparation), labels, listing.classes)
