"""Which rows can be identified at all: the subject is in a register, and the row can mean no other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shutong.democity.dirt import Soiled
from shutong.democity.scene import Scene
from shutong.democity.text import Flags
from shutong.spec.models import Resource


@dataclass
class Known:
    """Who of a block stands in a register by a good row."""

    organisations: Flags
    people: Flags
    places: Flags
    by_register: dict[str, Flags]

    @staticmethod
    def nobody(scene: Scene) -> Known:
        """Before any register was read."""
        organisations, people, places = (
            np.zeros(len(part), np.bool_) for part in (scene.organisations, scene.people, scene.places)
        )
        return Known(organisations, people, places, {})

    def learn(self, resource: Resource, soiled: Soiled) -> None:
        """Take in the good rows of a register; other resources teach nothing."""
        good = soiled.good()
        rows = soiled.rows
        for entry in resource.about:
            if entry.registry:
                known, index = {
                    "organisation": (self.organisations, rows.subject),
                    "person": (self.people, rows.person),
                    "place": (self.places, rows.place),
                }[entry.kind]
                named = index[good & (index >= 0)]
                known[named] = True
                if entry.kind == "organisation":
                    own = self.by_register.setdefault(resource.resource, np.zeros(len(known), np.bool_))
                    own[named] = True


def identifiable(resource: Resource, soiled: Soiled, scene: Scene, known: Known) -> Flags:
    """Per row, whether its principal subject can be found from what the row holds.

    A code or an older number means one registered subject. A name means one unless another organisation of the same
    county (or, without an area, of the city) has it too. A person is found by the citizen number only.
    """
    rows, evidence = soiled.rows, soiled.evidence
    organisations = scene.organisations
    subject = np.maximum(rows.subject, 0)
    registered = known.organisations[subject] & (rows.subject >= 0)
    person = known.people[np.maximum(rows.person, 0)] & (rows.person >= 0)
    by_code = (evidence == "uscc") | (evidence == "old-number")
    alone = registered & ~organisations.twin_in_area[subject]
    found = registered & by_code
    found |= alone & (evidence == "name-area")
    # Another spelling of a lookalike's name may well be the other one's name.
    found |= alone & (evidence == "name-variant") & ~organisations.lookalike[subject]
    found |= registered & (evidence == "name") & ~organisations.twin[subject]
    found |= person & (evidence == "citizen-id")
    if any(entry.registry for entry in resource.about):
        found |= soiled.good()
    return np.asarray(found, np.bool_)
