"""The process that answers requests: ``python -m shutong.cli.work.site HOST:PORT`` with ``SHUTONG_HOME`` set."""

from __future__ import annotations

import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from shutong.portal.counting import keep_counts_of
from shutong.portal.wsgi import application


def _forget(_arbiter: Any, worker: Any) -> None:
    """A process of the site has ended; what it counted stays."""
    keep_counts_of(worker.pid)


class Site(BaseApplication):  # type: ignore[misc]
    """The site under gunicorn: two processes of four threads, no control socket, no access log."""

    def __init__(self, address: str, processes: int) -> None:
        self.given = {
            "bind": address,
            "workers": processes,
            "worker_class": "gthread",
            "threads": 4,
            "preload_app": False,
            "control_socket_disable": True,
            "loglevel": "warning",
            "timeout": 120,
            "max_requests": 20_000,
            "max_requests_jitter": 2_000,
            "child_exit": _forget,
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        for key, value in self.given.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        """The application that answers."""
        return application


if __name__ == "__main__":
    Site(sys.argv[1], processes=2).run()
