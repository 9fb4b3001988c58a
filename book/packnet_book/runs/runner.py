"""Runs: methods carried out stage by stage, each kept on disk.

A run's directory holds `results.csv` (the errors at the end),
`history.csv` (the errors of every task after every stage), `run.json`
(what was run, with what, when), `read.json` (digests of the pictures and
weights that it read), `network.packnet` (the packed network) and
`stages/`. A stage is done when its record is there; a run that was
killed goes on with the stage, and the step, that it was at. Several
processes may carry out one run, each a method.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from datetime import timedelta
from functools import cache, partial
from pathlib import Path

import pandas
import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs

import packnet_book
import packnet_core
from packnet_book import places
from packnet_book.locks import alone
from packnet_book.places import refuse_name, write_text
from packnet_book.runs.baselines import joint_pictures
from packnet_book.runs.methods import METHODS, Stage, go_through
from packnet_book.runs.presets import Preset
from packnet_book.runs.pretrained import (
    SUFFIXES,
    load_pretrained,
    own_weights,
    read_weights,
    start_head,
)
from packnet_book.runs.provenance import digest, digest_of, provenance
from packnet_book.runs.stages import KNOWN, done, history, results
from packnet_core import load
from packnet_core.errors import BadRun
from packnet_core.evaluation import evaluate
from packnet_core.images import Pictures, generator
from packnet_core.network import PackNet
from packnet_core.training import fit
from packnet_core.trunks import build

# These change no run.
LOOKED_AT = {
    "exercises", "explorer", "figures", "from_scratch.py", "interactives",
    "playground",
}  # fmt: skip
PATIENCE = timedelta(hours=6)  # while one process fetches or decodes


class Run:
    """One preset with one seed in one directory.

    data: directory with the pictures, if the preset reads any; weights:
    file with ImageNet's weights; without it, one named like the network
    is looked for in `data`, then the book's own are taken if it has some,
    and else ImageNet's downloaded;
    subset: share of each class's pictures that is used; split: what the
    errors are measured on, "val" where something is chosen by them;
    precision: "no" for float32 throughout, "bf16", "fp16", or None for
    what `accelerate launch` said; accumulate: chunks that a batch is put
    through in, one after the other, where the memory does not hold it
    whole. Raises BadRun if the directory holds another run, no weights
    are known to begin with, or this process has begun with another
    precision.
    """

    def __init__(
        self,
        preset: Preset,
        out: str | os.PathLike,
        *,
        seed: int = 0,
        data: str | os.PathLike | None = None,
        weights: str | os.PathLike | None = None,
        subset: float = 1.0,
        split: str = "test",
        precision: str | None = None,
        accumulate: int = 1,
    ):
        if not 0 < subset <= 1:
            raise BadRun(f"subset {subset}: give a share above 0, up to 1")
        if split not in ("test", "val"):
            raise BadRun(f"split {split!r}: give 'test' or 'val'")
        if accumulate < 1:
            raise BadRun(
                f"accumulate {accumulate}: give 1 (a batch whole) or more"
            )
        self.preset = preset
        self.out = Path(out)
        refuse_name(self.out)
        self.seed = seed
        self.data = None if data is None else Path(data)
        self.weights = None if weights is None else Path(weights)
        self.subset = subset
        self.split = split
        self.accumulate = accumulate
        try:
            self.accelerator = Accelerator(
                mixed_precision=precision,
                kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
            )
        except ValueError as error:
            raise BadRun(
                f"precision {precision!r}: not known here, or this process "
                f"has begun with another one; begin a new one ({error})"
            ) from error
        if self.accelerator.mixed_precision == "fp16" and not (
            self.accelerator.native_amp
        ):  # accelerate would go on without it
            raise BadRun(
                "precision fp16: needs a graphics card; take bf16 or no, "
                "in a new process"
            )
        self.pictures = cache(self._pictures)
        self._refuse_without_weights()
        self._claim()

    def carry_out(self, methods: Iterable[str]) -> pandas.DataFrame:
        """Do what is still to be done; the rows of `results.csv`."""
        for method in methods:
            if method not in KNOWN:
                raise BadRun(
                    f"no method {method!r}; choose from {', '.join(METHODS)}"
                )
        for method in methods:
            first = self.first()
            with self._alone(method):
                stages = KNOWN[method](first, self.preset, self.shown)
                network = go_through(stages, partial(self.stage, method))
                if network is not None and self.accelerator.is_main_process:
                    network.save(self.out / "network.packnet")
            self._write_tables()
        return self.results()

    def first(self) -> PackNet:
        """The network that has learnt the first task, all its weights."""
        task = self.preset.tasks[0].name
        stage = Stage("train", task, self._new_network, self.preset.first)
        with self._alone("first"):
            return self.stage("first", stage)

    def shown(self, task: str) -> Pictures:
        """What a task is taught by."""
        return self.pictures(task, "train")

    def classes(self, task: str) -> tuple[str, ...]:
        """The names of a task's classes."""
        return self.shown(task).classes

    def stage(self, method: str, stage: Stage) -> PackNet:
        """Do a stage of a method: make, train, test, keep on disk.

        Returns the network from disk, and makes none if it is there.
        """
        place = self._position(stage.task)
        name = f"{method}-{place}-{stage.task}-{stage.title}"
        file = self.out / "stages" / f"{name}.packnet"
        if not file.with_suffix(".json").exists():
            with torch.random.fork_rng([]):
                seed = generator(self.seed, name).initial_seed()
                torch.manual_seed(seed)
                network = stage.make()
            seconds = self._train(network, method, stage, file)
            rows = [
                (method, stage.title, stage.task, *errors, seconds)
                for errors in self._errors(network)
            ]
            self._keep(network, rows, file)
        return load(file)  # the same, whether it was trained now or before

    def after(self, method: str, task: str) -> PackNet:
        """A method's network when it had done with a task.

        Raises BadRun if it has not got so far.
        """
        return load(self.file_after(method, task))

    def file_after(self, method: str, task: str) -> Path:
        """The file of that network; the first task is common to all."""
        place, folder = self._position(task), self.out / "stages"
        found = [
            record
            for name in (["first", method] if place == 1 else [method])
            for record in done(folder)
            if record.stem.startswith(f"{name}-{place}-{task}-")
        ]
        if not found:
            raise BadRun(
                f"{self.out}: {method} has not learnt {task!r} yet; "
                "carry the method out first"
            )
        return found[-1].with_suffix(".packnet")

    def history(self) -> pandas.DataFrame:
        """The error of every task after every stage, in percent."""
        return history(self.out / "stages")

    def results(self) -> pandas.DataFrame:
        """The error of every task at the end of every method.

        train_seconds: of the stages at that task; joint training's all
        stand with the last task.
        """
        return results(self.history(), self.preset, self.seed)

    def _train(
        self, network: PackNet, method: str, stage: Stage, file: Path
    ) -> float:
        """Seconds of a stage's training; file: the network's."""
        if stage.phase is None:
            return 0.0
        joint = stage.objective.joint
        names = network.tasks if joint else [stage.task]
        sets = [self.pictures(name, "train") for name in names]
        return fit(
            network, joint_pictures(sets) if joint else sets[0], stage.phase,
            size=self.preset.architecture.size, objective=stage.objective,
            seed=f"{self.seed}/{file.stem}",
            title=f"{method}: {stage.title} {stage.task}",
            checkpoint=file.with_suffix(".checkpoint"),
            accelerator=self.accelerator, accumulate=self.accumulate,
        )  # fmt: skip

    def _errors(
        self, network: PackNet
    ) -> Iterator[tuple[str, float, float, int]]:
        """Each task, its top-1 and top-5 error in percent, its images."""
        for task in network.tasks:
            with network.view(task):
                found = evaluate(
                    network, self.pictures(task, self.split),
                    size=self.preset.architecture.size,
                    accelerator=self.accelerator,
                )  # fmt: skip
            yield task, found.top1, found.top5, found.images

    def _keep(self, network: PackNet, rows: list[tuple], file: Path) -> None:
        """Write a stage's network, and then its record."""
        network.provenance = self._provenance(network)
        if self.accelerator.is_main_process:
            network.save(file)
            write_text(file.with_suffix(".json"), json.dumps(rows))
            file.with_suffix(".checkpoint").unlink(missing_ok=True)
        self.accelerator.wait_for_everyone()

    def _alone(self, part: str) -> AbstractContextManager[None]:
        """Keep other processes from a method, or a file, of this run.

        So two that want other methods train at once, and of two that want
        the same one trains. Not for processes that train together.
        """
        if self.accelerator.num_processes > 1:
            return nullcontext()
        wait = f"{self.out}: another process is at {part}; waiting for it"
        waits = part in ("first", *KNOWN)  # a file is held for a moment
        return alone(self.out / ".locks" / part, wait if waits else "")

    def _write_tables(self) -> None:
        if not self.accelerator.is_main_process:
            return
        with self._alone("results.csv"):
            for name, table in (
                ("results.csv", self.results()),
                ("history.csv", self.history()),
            ):
                write_text(self.out / name, table.to_csv(index=False))

    def _new_network(self) -> PackNet:
        task = self.preset.tasks[0].name
        trunk = build(self.preset.architecture)
        network = PackNet(trunk, trunk.out_features)
        if not self.preset.pretrained:
            network.add_task(task, self.classes(task))
            return network
        file = self.weights or self._weights_at_hand()
        with self.accelerator.local_main_process_first():  # it downloads
            weights = read_weights(trunk, file)
        self._note_read("weights", digest(weights.values()))
        head = load_pretrained(trunk, weights)
        network.add_task(task, self.classes(task))
        started = head is not None and start_head(network, *head)
        if not started and self.preset.first is None:
            raise BadRun(
                f"the weights have no outputs for the classes of {task!r} "
                "(ImageNet's are named by WordNet identifiers): take a "
                "preset that learns the first task too (photos; "
                "miniature-full, which is FROM_NOTHING in place of "
                "MINIATURE), or weights that have them"
            )
        return network

    def _refuse_without_weights(self) -> None:
        """torchvision has weights for networks of their full width only."""
        here = self.preset.architecture
        known = here.width == 1 or own_weights(here).is_file()
        given = self.weights or self._weights_at_hand()
        if self.preset.pretrained and not known and not given:
            raise BadRun(
                f"no weights are known for {here.name} at width {here.width} "
                f"and {here.size} px: take miniature-full (FROM_NOTHING in "
                "place of MINIATURE), which learns the first task too, or "
                "name weights"
            )

    def _weights_at_hand(self) -> Path | None:
        """A file of weights beside the pictures, named like the network."""
        if self.data is None:
            return None
        name = self.preset.architecture.name
        there = sorted(self.data.glob(f"{name}[.-]*"))
        return next((f for f in there if f.suffix in SUFFIXES), None)

    def _pictures(self, task: str, split: str) -> Pictures:
        size = self.preset.architecture.size
        source = self.preset.tasks[self._position(task) - 1]
        if split == "train" and self.split == "val":
            split = "fit"  # without the pictures that are held out
        found = source.read(split, size, self.data, self.subset)
        self._note_read(f"{task}, {split}", digest_of(found))
        return found

    def _note_read(self, name: str, digest: str) -> None:
        """Note what was read in `read.json`; refuse anything else later."""
        if not self.accelerator.is_main_process:
            return
        file = self.out / "read.json"
        with self._alone("read.json"):
            known = json.loads(file.read_text()) if file.exists() else {}
            if name not in known:
                write_text(file, json.dumps(known | {name: digest}, indent=1))
        if known.get(name, digest) != digest:
            raise BadRun(
                f"{file}: {name} is not what this run has read before; "
                "use another directory, or delete this one"
            )

    def _position(self, task: str) -> int:
        return [t.name for t in self.preset.tasks].index(task) + 1

    def _provenance(self, network: PackNet) -> dict:
        """What goes into the network's file, the same at every run."""
        size = self.preset.architecture.size
        one = torch.tensor([0])
        cropped = {
            name: self.pictures(name, "train").sizes(one).max() <= size
            for name in network.tasks
        }
        return {
            "preset": self.preset.name,
            "seed": self.seed,
            "cropped": {name: bool(is_so) for name, is_so in cropped.items()},
        }

    def _claim(self) -> None:
        """Write `run.json`, or check that it is this run's."""
        file = self.out / "run.json"
        configuration = json.loads(
            json.dumps(
                {
                    "preset": asdict(self.preset),
                    "seed": self.seed,
                    "subset": self.subset,
                    "split": self.split,
                    "precision": self.accelerator.mixed_precision,
                }
            )
        )
        if self.accelerator.is_main_process and not file.exists():
            record = {"configuration": configuration} | provenance()
            write_text(file, json.dumps(record, indent=1))
        self.accelerator.wait_for_everyone()
        try:
            there = json.loads(file.read_text())["configuration"]
        except (ValueError, KeyError, TypeError) as error:
            raise BadRun(
                f"{file}: cannot be read ({error}); use another directory, "
                "or delete this one"
            ) from error
        if there != configuration:
            raise BadRun(
                f"{self.out}: holds a run with another preset, seed, subset, "
                "split or precision; use another directory, or delete this "
                "one"
            )


def run(
    preset: Preset,
    methods: Iterable[str],
    out: str | os.PathLike | None = None,
    **options,
) -> Run:
    """Carry out methods; `out=None` takes the place kept for such a run.

    That place is in the user's cache (or in `PACKNET_CACHE`) and belongs
    to this preset, these options and this very source of the library: a
    change to any of them trains anew.
    """
    if out is None:
        out = kept_place(preset, **options)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadRun(
                f"{out}: {error.strerror}; let PACKNET_CACHE name a place "
                "that can be written"
            ) from error
    made = Run(preset, out, **options)
    made.carry_out(list(methods))
    return made


def kept_place(preset: Preset, **options) -> Path:
    """The directory that is kept for such a run by this library."""
    digest = hashlib.sha256(repr((preset, sorted(options.items()))).encode())
    for package in (packnet_core, packnet_book):
        [here] = map(Path, package.__path__)
        for source in sorted(here.rglob("*.py")):
            if source.relative_to(here).parts[0] not in LOOKED_AT:
                digest.update(source.read_bytes())
    return places.cache() / f"{preset.name}-{digest.hexdigest()[:16]}"
