"""Kills a delivery and a run of the way at random moments, in forks of one prepared process, and runs them again.

Usage: kills.py HOME FILES DAY ATTEMPTS SEED. Prints one JSON line per attempt and one for the undisturbed run.
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


def main(folder: Path, files: list[tuple[str, str, str]], day: str, attempts: int, seed: int) -> None:
    """The undisturbed run first, then the attempts, each from the same state of the home."""
    child = importlib.import_module("tests.pipeline.child")
    importlib.import_module("shutong.portal.django").setup(folder)
    for name in ("shutong.pipeline.runs", "shutong.quality.counter", "tests.pipeline.state"):
        importlib.import_module(name)
    state = importlib.import_module("tests.pipeline.state")
    base = folder.with_name(folder.name + "-base")
    shutil.copytree(folder, base)

    def whole() -> str:
        child.deliver(folder, files)
        return child.run(folder, day)

    def look() -> Any:
        return state.state_of(folder)

    before, _ = forked(look)
    kind, seconds = forked(whole)
    after, _ = forked(look)
    print(json.dumps({"kind": kind, "seconds": seconds, "before": before, "after": after}), flush=True)
    chance = random.Random(seed)
    for _ in range(attempts):
        shutil.rmtree(folder)
        shutil.copytree(base, folder)
        moment = chance.uniform(0, seconds * 1.1)
        forked(whole, kill_after=moment)
        killed, _ = forked(look)
        again, _ = forked(whole)
        mended, _ = forked(look)
        print(json.dumps({"moment": moment, "killed": killed, "again": again, "mended": mended}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
