"""Starts Django for a home, for programs that are not a web server (commands, workers, tests)."""

from __future__ import annotations

import os
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings

SETTINGS_MODULE = "shutong.portal.settings"


class OtherHomeError(RuntimeError):
    """Django already serves another home in this process; one process serves one home."""

    def __init__(self, serving: Path | None, asked: Path) -> None:
        self.serving = serving
        self.asked = asked
        super().__init__(
            f"本进程已在使用 {serving}，不能再改用 {asked}，请另起进程。/ "
            f"This process already serves {serving}; it cannot change to {asked}. Start another process."
        )


def setup(home: Path) -> None:
    """Makes the models and actions usable in this process for the home at ``home``. A second call does nothing.

    Raises:
        OtherHomeError: Django was started for another home before.
    """
    home = home.resolve()
    if apps.ready:
        if home != settings.SHUTONG_HOME:
            raise OtherHomeError(settings.SHUTONG_HOME, home)
        return
    os.environ["SHUTONG_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS_MODULE
    django.setup()
