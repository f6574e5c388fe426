"""What a child process of the tests does in a real home: ``python -m tests.audit.process VERB HOME [ARGUMENTS]``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from shutong.portal.django import setup

setup(Path(sys.argv[2]))

from django.core.management import call_command  # noqa: E402
from django_tasks_db.models import DBTaskResult  # noqa: E402

from shutong.accounts.actions import create_account, note_read  # noqa: E402
from shutong.accounts.actors import SYSTEM  # noqa: E402
from shutong.accounts.models import User  # noqa: E402
from shutong.audit.models import Entry  # noqa: E402
from shutong.audit.sealing import seal  # noqa: E402
from shutong.audit.verification import verify  # noqa: E402
from shutong.engine.home import Home  # noqa: E402
from shutong.jobs.work import enqueue  # noqa: E402
from shutong.jobs.worker import run_worker  # noqa: E402
from tests.jobs.work_for_tests import make_account  # noqa: E402


def migrate(home: Home) -> None:
    """Makes the tables."""
    call_command("migrate", verbosity=0)


def write(home: Home, writer: str, count: str) -> None:
    """Acts, reads and seals, as fast as it can."""
    print("ready", flush=True)
    for number in range(int(count)):
        create_account(f"w{writer}-{number}", None, acting=SYSTEM)
        note_read("accounts.look", f"w{writer}-{number}", acting=SYSTEM)
        if number % 7 == 3:
            seal(home)


def queue(home: Home, count: str) -> None:
    """Queues work."""
    for number in range(int(count)):
        enqueue(make_account, number, key=str(number))


def work(home: Home) -> None:
    """Works until nothing is left."""
    print("ready", flush=True)
    run_worker({}, once=True)


def report(home: Home) -> None:
    """Prints what the log and the tables hold."""
    found = verify(home)
    states = list(DBTaskResult.objects.values_list("status", flat=True))
    print(
        json.dumps(
            {
                "faults": [asdict(fault) for fault in found.faults],
                "checkpoints": found.checkpoints,
                "entries": Entry.objects.filter(action="accounts.create_account").count(),
                "users": User.objects.count(),
                "states": {state: states.count(state) for state in set(states)},
            }
        )
    )


if __name__ == "__main__":
    VERBS = {"migrate": migrate, "write": write, "queue": queue, "work": work, "report": report}
    VERBS[sys.argv[1]](Home.open(sys.argv[2]), *sys.argv[3:])
