"""Rows as delivered with what is true of them, and how often things go wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from shutong.democity.names import Names
from shutong.democity.scene import Rows, Scene
from shutong.democity.text import Flags, Ints, Text
from shutong.spec.models import Resource

Labels = npt.NDArray[np.object_]
LABELS = ("evidence", "bad_reason", "bad_item", "dirt", "readable", "variant")


@dataclass(frozen=True)
class Shares:
    """How often each kind of dirt is planted; ``dirt.py`` says of what. At a dirt of 1 they are as written here."""

    old_number: float = 0.12
    name_area: float = 0.08
    name_variant: float = 0.05
    check_digit: float = 0.02
    wrong_date: float = 0.01
    duplicate: float = 0.01
    late: float = 0.03
    swapped: float = 0.002
    named_person: float = 0.1
    empty_contact: float = 0.2
    outdated_contact: float = 0.03
    marked: float = 0.06
    respelled: float = 0.04
    widened: float = 0.01

    @staticmethod
    def at(dirt: float) -> Shares:
        """Every share times ``dirt``."""
        return Shares(**{name: share * dirt for name, share in asdict(Shares()).items()})


@dataclass(frozen=True)
class Soiling:
    """What is needed to soil the rows of one resource in one block."""

    random: np.random.Generator
    resource: Resource
    scene: Scene
    shares: Shares


@dataclass(frozen=True)
class Varied:
    """Rows whose name is written another way: the pieces that are written, and whether most of the name is left out."""

    rows: Ints
    names: Names
    short: Flags


@dataclass
class Soiled:
    """Rows as delivered, with what is true of each of them. Labels are None where nothing is to be said."""

    rows: Rows
    cells: dict[str, Text]
    evidence: Labels
    bad_reason: Labels
    bad_item: Labels
    dirt: Labels
    readable: Labels
    variant: Labels
    varied: Varied | None = None

    def good(self) -> Flags:
        """Rows that the platform must accept."""
        return np.asarray([reason is None for reason in self.bad_reason.tolist()], np.bool_)

    def label(self, rows: Ints, dirt: str, reason: str | None = None, item: str | None = None) -> None:
        """Say what was planted in some rows."""
        self.dirt[rows], self.bad_reason[rows], self.bad_item[rows] = dirt, reason, item


def clean(rows: Rows, cells: dict[str, Text]) -> Soiled:
    """The rows as they are, without any dirt."""
    evidence, reason, item, dirt, readable, variant = (np.full(len(rows), None, object) for _ in LABELS)
    return Soiled(rows, cells, evidence, reason, item, dirt, readable, variant)


def shares_of(random: np.random.Generator, candidates: Ints, of: int, share: float) -> tuple[Ints, Ints]:
    """The share of ``of`` rows drawn from the candidates, and the candidates that are left, both shuffled."""
    wanted = of * share
    count = int(wanted) + int(random.random() < wanted - int(wanted))
    shuffled = random.permutation(candidates)
    return shuffled[:count], shuffled[count:]
