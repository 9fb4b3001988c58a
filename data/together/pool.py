"""Threads that wait for each other, so that alike things are done at once."""

import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from threading import Condition, Thread, local
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from packnet_book.runs.baselines import _Joined
from packnet_core.errors import BadRun
from packnet_core.images import Pictures
from studies import common

PATIENCE = 5.0  # seconds for threads that do not ask
AT_ONCE = 4096  # pictures in a step of all networks


@dataclass
class Asked:
    """What a thread waits for; alike: what it must have in common with
    others to be done with them; count: pictures of it in a step."""

    do: Callable[["Pool", list[Any]], list[Any]]
    alike: object
    what: Any
    count: int
    result: Future


class Together:
    """What all threads have in common that are carried out so."""

    def __init__(self, device: torch.device, processes: int):
        self.device = device
        self.helpers: Executor = ProcessPoolExecutor(
            processes, mp_context=get_context("spawn")
        )

    def carry_out(self, calls: Sequence[Callable[[], None]]) -> None:
        """Make all calls, each in a thread; raises what the first raised.

        May itself be called in several threads, each with calls of its own.
        """
        Pool(self).carry_out(calls)


HERE = local()  # the pool of this thread


class Pool:
    """Does what threads ask for, once all of them wait."""

    def __init__(self, of: Together):
        self.device, self.helpers = of.device, of.helpers
        self.changed = Condition()
        self.asked: list[Asked] = []
        self.busy = self.away = 0  # threads at work, and those set aside
        self.seen: dict[tuple, tuple[list[Tensor], Tensor]] = {}

    def ask(self, do, alike: object, what: object, count: int) -> Any:
        """Wait for what is done together with others."""
        one = Asked(do, alike, what, count, Future())
        with self.changed:
            self.asked.append(one)
            self.busy -= 1
            self.changed.notify_all()
        return one.result.result()

    def carry_out(self, calls: Sequence[Callable[[], None]]) -> None:
        faults: list[BaseException] = []

        def make(call: Callable[[], None]) -> None:
            HERE.pool = self
            try:
                call()
            except BaseException as fault:
                traceback.print_exc()
                faults.append(fault)
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()

        self.busy = len(calls)
        for call in calls:
            Thread(target=make, args=(call,), daemon=True).start()
        cuda = self.device.type == "cuda"
        with torch.cuda.stream(torch.cuda.Stream() if cuda else None):
            while now := self.gather():
                self.answer(now)
        if faults:
            raise faults[0]

    def each(self, call: Callable[[Any], Any], values: Sequence) -> list:
        """What `call` gives of each value, in a thread each."""
        places, left = common.USED.places, len(values)
        found: list[Future] = [Future() for _ in values]

        def make(value: Any, future: Future) -> None:
            nonlocal left
            HERE.pool, common.USED.places = self, places
            try:
                result, fault = call(value), None
            except BaseException as raised:
                result, fault = None, raised
            with self.changed:
                left -= 1
                if left:  # the last one's place is its maker's again
                    self.busy -= 1
                    self.changed.notify_all()
            future.set_exception(fault) if fault else future.set_result(
                result
            )

        with self.changed:
            self.busy += len(values) - 1
        for value, future in zip(values, found, strict=True):
            Thread(target=make, args=(value, future), daemon=True).start()
        return [future.result() for future in found]

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While this thread waits for what another one has."""
        with self.changed:
            self.busy, self.away = self.busy - 1, self.away + 1
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.busy, self.away = self.busy + 1, self.away - 1

    def gather(self) -> list[Asked]:
        """What all ask for, or those who wait for no other's files."""
        with self.changed:
            while self.busy or self.away or self.asked:
                number = len(self.asked)
                ready = self.changed.wait_for(
                    lambda: not self.busy and (self.asked or not self.away),
                    PATIENCE,
                )
                if self.asked and (ready or number == len(self.asked)):
                    break
            now, self.asked = self.asked, []
        return now

    def answer(self, now: list[Asked]) -> None:
        groups = defaultdict(list)
        for one in now:
            groups[one.do, repr(one.alike)].append(one)
        for (do, _), group in groups.items():
            most = max(1, AT_ONCE // group[0].count)
            for begin in range(0, len(group), most):
                some = group[begin : begin + most]
                whats = [one.what for one in some]
                try:
                    try:
                        found = do(self, whats)
                    except torch.AcceleratorError as fault:
                        if "capture" not in str(fault):
                            raise  # else another thread was in the way
                        found = do(self, whats)
                except Exception as fault:
                    found = [fault] * len(some)
                with self.changed:
                    self.busy += len(some)
                for one, answer in zip(some, found, strict=True):
                    if isinstance(answer, Exception):
                        one.result.set_exception(answer)
                    else:
                        one.result.set_result(answer)

    def pixels(self, pictures: Pictures) -> Tensor:
        """Images (N, 3, H, W) on the card, filled up to the largest."""
        parts, key = _parts(pictures), same(pictures)
        if key not in self.seen:
            large = max(part.shape[-1] for part in parts)
            wide = [pad(p, [0, large - p.shape[-1]] * 2) for p in parts]
            self.seen[key] = parts, torch.cat(wide).to(self.device)
        return self.seen[key][1]


def _parts(pictures: Pictures) -> list[Tensor]:
    images = pictures.images
    if isinstance(images, _Joined):
        return [image for part in images.parts for image in _parts(part)]
    if not isinstance(images, Tensor):
        raise BadRun("only pictures in memory are trained together")
    return [images]


def same(pictures: Pictures) -> tuple[int, ...]:
    """Tells pictures apart, as long as they are there."""
    return tuple(map(id, _parts(pictures)))
