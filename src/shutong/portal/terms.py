"""Legal terms of declarations, in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def term_text(term: Any) -> str:
    """A legal term in words, such as 7 working days; empty where there is none.

    Args:
        term: a term as the answers keep it: ``n`` and ``unit``, or only the name of its ``rule`` where no row is in force.
    """
    if not term or "n" not in term:
        return str(term["rule"]) if term else ""
    units = {"wd": _("%(n)s 个工作日"), "day": _("%(n)s 日"), "month": _("%(n)s 个月"), "year": _("%(n)s 年")}
    return units.get(term["unit"], "%(n)s " + str(term["unit"])) % {"n": term["n"]}
