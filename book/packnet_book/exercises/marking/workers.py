"""The processes in which students' code runs, and their limits.

A worker runs the chapter itself, as far as an exercise needs it. Where the
system can fork, each attempt then gets a copy of the worker, with limits
on time, memory and the size of files; elsewhere a worker of its own. What
comes back is read as data, never executed.
"""

import ctypes
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from packnet_book.exercises.marking.asked import Chapter, Exercise
from packnet_book.exercises.marking.handed_in import Attempt
from packnet_book.exercises.marking.trial import (
    Result,
    Verdict,
    short,
    tried,
)

FORKS = sys.platform == "linux"  # on macOS a fork of torch may crash
GRACE = 30.0  # seconds that a worker has to say that it has stopped one
MESSAGE = 10_000  # bytes, at most
FILES = 2**28  # bytes of a file, at most
PARENT_ENDS = 1  # PR_SET_PDEATHSIG of Linux
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Limits:
    """seconds: of one attempt; memory: bytes that it may take besides."""

    seconds: float = 60.0
    memory: int = 4 * 2**30


@dataclass(frozen=True)
class Job:
    """One attempt of one notebook. number: of the notebook."""

    number: int
    exercise: Exercise
    attempt: Attempt

    @property
    def key(self) -> tuple[int, str]:
        return self.number, self.exercise.number


class ChapterFails(RuntimeError):
    """The book's own chapter cannot be run, so nothing in it be marked."""


def verdicts(
    chapter: Chapter,
    jobs: Sequence[Job],
    limits: Limits,
    forks: bool = FORKS,
) -> Iterator[tuple[Job, Verdict]]:
    """Run jobs of one chapter, in the order of its exercises.

    Whatever an attempt does, it gets its verdict, and the others are run.
    Raises ChapterFails.
    """
    waiting = sorted(jobs, key=lambda job: (job.exercise.before, job.number))
    while waiting:
        batch = waiting if forks else waiting[:1]
        done, begun = 0, False
        with _worker(chapter, batch, limits, forks) as messages:
            while done < len(batch):
                patience = limits.seconds + (GRACE if forks else 0)
                message = _received(messages, patience if begun else None)
                if "failed" in message:
                    raise ChapterFails(f"{chapter.name}: {message['failed']}")
                if "begun" in message:
                    begun = True
                    continue
                if not begun:
                    raise ChapterFails(f"{chapter.name}: {message['said']}")
                yield batch[done], _verdict(message)
                done, begun = done + 1, False
                if "over" in message:
                    break
        waiting = waiting[done:]


@contextmanager
def _worker(
    chapter: Chapter, jobs: Sequence[Job], limits: Limits, forks: bool
) -> Iterator[Connection]:
    """A process that runs jobs; it has ended afterwards."""
    context = multiprocessing.get_context("spawn")
    messages, sending = context.Pipe(duplex=False)
    places = tempfile.mkdtemp(prefix="marking-")
    process = context.Process(
        target=_work, args=(sending, chapter, jobs, limits, forks, places)
    )
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # so that forks are safe
    try:
        process.start()
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
    sending.close()
    try:
        yield messages
    finally:
        process.kill()
        process.join()
        messages.close()
        shutil.rmtree(places, ignore_errors=True)


def _received(messages: Connection, seconds: float | None) -> dict[str, Any]:
    """The next message, or what there is to say of a process without one."""
    over = {"over": True, "result": Result.STOPPED.value}
    try:
        if not messages.poll(seconds):
            return {**over, "said": _too_long(seconds)}
        message = json.loads(messages.recv_bytes(MESSAGE))
    except EOFError:
        return {**over, "said": "its process has ended without a result"}
    except (OSError, ValueError):
        return {**over, "said": "its process has sent no result"}
    return message if isinstance(message, dict) else over


def _too_long(seconds: float | None) -> str:
    return f"still running after {seconds:g} s; is there an endless loop?"


def _verdict(message: dict[str, Any]) -> Verdict:
    try:
        result = Result(str(message.get("result")))
    except ValueError:
        result = Result.STOPPED
    return Verdict(result, short(message.get("said", "")))


def _send(sending: Connection, **message: Any) -> None:
    sending.send_bytes(json.dumps(message).encode())


def _tell(sending: Connection, verdict: Verdict) -> None:
    _send(sending, result=verdict.result.value, said=verdict.said)


def _work(
    sending: Connection,
    chapter: Chapter,
    jobs: Sequence[Job],
    limits: Limits,
    forks: bool,
    places: str,
) -> None:
    """What a worker does: the chapter, and the jobs where they belong.

    places: a folder, in which each attempt gets one of its own.
    """
    _silence()
    os.chdir(places)
    main = sys.modules["__main__"] = ModuleType("__main__")
    space = vars(main)  # where pickles find the chapter's classes
    done = 0
    for job in jobs:
        for cell in chapter.cells[done : job.exercise.before]:
            for one in cell.statements:
                try:
                    exec(compile(one.text, chapter.name, "exec"), space)
                except BaseException as error:
                    said = f"{type(error).__name__}: {error}"
                    _send(sending, failed=short(f"{one.text[:60]}: {said}"))
                    return
        done = max(done, job.exercise.before)
        _send(sending, begun=True)
        place = tempfile.mkdtemp(dir=places)
        if forks:
            verdict = _apart(sending, space, job, limits, place)
        else:
            _limit(limits, place)
            verdict = tried(space, job.exercise, job.attempt)
        _tell(sending, verdict)


def _silence() -> None:
    """Read nothing, and print nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)


def _limit(limits: Limits, place: str) -> None:
    """Hold this process to its limits, as far as the system has them."""
    os.chdir(place)
    if sys.platform == "win32":
        return
    import resource

    seconds = int(time.process_time() + limits.seconds) + 2
    most = {"CORE": 0, "FSIZE": FILES, "CPU": seconds}
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most["AS"] = pages * resource.getpagesize() + limits.memory
    for name, value in most.items():
        with suppress(OSError, ValueError):
            what = getattr(resource, f"RLIMIT_{name}")
            resource.setrlimit(what, (value, value))


def _apart(
    above: Connection,
    space: dict[str, Any],
    job: Job,
    limits: Limits,
    place: str,
) -> Verdict:
    """One attempt in a fork of this process, which is ended after it."""
    context = multiprocessing.get_context("fork")
    messages, sending = context.Pipe(duplex=False)

    def attempt() -> None:
        os.setsid()  # so that what it starts can be ended with it
        with suppress(OSError, AttributeError):  # it ends if this one does
            ctypes.CDLL(None).prctl(PARENT_ENDS, signal.SIGKILL)
        above.close()
        _limit(limits, place)
        _tell(sending, tried(space, job.exercise, job.attempt))

    process = context.Process(target=attempt)
    process.start()
    sending.close()
    try:
        return _verdict(_received(messages, limits.seconds))
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.kill()
        process.join()
        messages.close()
