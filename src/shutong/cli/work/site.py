"""The site: the process that starts those that answer requests, and sees to it that there are enough of them."""

from __future__ import annotations

import importlib
from typing import Any

import duckdb
from gunicorn.app.base import BaseApplication

from shutong.portal.counting import keep_counts_of
from shutong.portal.wsgi import application

# The pages are loaded once and not by each process anew.
importlib.import_module("shutong.portal.urls")
# DuckDB's module has begun a database of its own, whose threads no fork has: at its end a process would wait for them.
duckdb.default_connection().close()


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
