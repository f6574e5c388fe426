"""``shutong pack test``: the cases that packs bring as data go through the checks that a delivery goes through."""

from __future__ import annotations
