"""Kills deliveries and runs of the way, in forks of one prepared process, and runs them again.

Usage: kills.py HOME FILES DAY ATTEMPTS SEED PLACES. Kills at ATTEMPTS random moments and at each of the comma-separated
PLACES: a stage, ``commit``, ``listings`` and ``answers`` as a run tells them, ``mirror`` (a delivery is in the lake and
nowhere else) and ``ledger`` (everything is done but not written down). Prints one JSON line for the undisturbed run and
one per attempt.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Verb = Callable[[], Any]


def forked(verb: Verb, kill_after: float | None = None) -> tuple[Any, float]:
    """Run ``verb`` in a fork; its JSON answer (None when it was killed) and the seconds it took."""
    reader, writer = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            answer = json.dumps(verb())
        except BaseException as error:
            answer = json.dumps({"error": repr(error)})
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return (json.loads(text) if text else None), time.monotonic() - began


def die(*_given: object, **_named: object) -> None:
    """End this process as a loss of power would."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(place: str) -> None:
    """Let this process die when it comes to a place."""
    runs = importlib.import_module("shutong.pipeline.runs")
    if place == "mirror":
        importlib.import_module("shutong.quality.counter").mirror_batches = die
    elif place == "ledger":
        runs.finish_run = die
    else:
        way = runs.run_way
        runs.run_way = lambda *given, **named: way(
            *given, **named, progress=lambda name, _number, _count: die() if name == place else None
        )


def main(
    folder: Path, files: list[tuple[str, str, str]], day: str, attempts: int, seed: int, places: list[str]
) -> None:
    """The undisturbed run first, then the attempts, each from the same state of the home."""
    child = importlib.import_module("tests.pipeline.child")
    importlib.import_module("shutong.portal.django").setup(folder)
    for name in ("shutong.pipeline.runs", "shutong.quality.counter", "tests.pipeline.state"):
        importlib.import_module(name)
    state = importlib.import_module("tests.pipeline.state")
    base = folder.with_name(folder.name + "-base")
    shutil.copytree(folder, base)

    def resumed() -> str:
        kind: str = child.run(folder, day)
        return kind

    def whole() -> str:
        child.deliver(folder, files)
        return resumed()

    def look() -> Any:
        return state.state_of(folder)

    before, _ = forked(look)
    kind, seconds = forked(whole)
    after, _ = forked(look)
    print(json.dumps({"kind": kind, "before": before, "after": after}), flush=True)

    def attempt(at: float | str) -> None:
        again: Verb
        shutil.rmtree(folder)
        shutil.copytree(base, folder)
        if isinstance(at, float):
            forked(whole, kill_after=at)
            again = whole
        else:
            answer, _ = forked(lambda: (die_at(at), whole()))
            assert answer is None, f"nothing came to {at}"
            # What a run finds in the lake it makes good by itself; files of later days never came to be there.
            again = whole if at == "mirror" and len({day for _, _, day in files}) > 1 else resumed
        killed, _ = forked(look)
        forked(again)
        mended, _ = forked(look)
        print(json.dumps({"at": at, "killed": killed, "mended": mended}), flush=True)

    chance = random.Random(seed)
    for _ in range(attempts):
        attempt(chance.uniform(0, seconds * 1.1))
    for place in places:
        attempt(place)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        json.loads(sys.argv[2]),
        sys.argv[3],
        int(sys.argv[4]),
        int(sys.argv[5]),
        sys.argv[6].split(","),
    )
