"""The people of the city: owners and residents, with citizen numbers and telephones that belong to nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from shutong.democity.geography import Geography, Places
from shutong.democity.text import (
    Text,
    constant,
    fixed,
    iso_dates,
    join,
    matrix_of,
    padded,
    permute,
    pick,
    plain,
    stream,
    take,
)
from shutong.democity.words import GIVEN, LOCAL_PREFIX, SURNAMES
from shutong.standards.code_digits import check_digits_citizen_id

PERSON_BITS = 26
BIRTH_DAYS = 18_000
FIRST_BIRTH = int(np.datetime64("1950-01-01").astype(np.int64))


@dataclass(frozen=True)
class People:
    """The persons of one block; person numbers run beside subject numbers."""

    start: int
    columns: dict[str, Text]

    def __len__(self) -> int:
        return len(self.columns["name"])


def make_people(geography: Geography, places: Places, start: int, count: int, seed: int) -> People:
    """``count`` persons with numbers from ``start``; citizen numbers and telephones are unique in the city.

    The citizen numbers carry the fictional areas 98xxxx and the telephones :data:`LOCAL_PREFIX`.
    """
    random = stream(seed, "people", start)
    numbers = np.arange(start, start + count, dtype=np.int64)
    spot = permute(numbers, PERSON_BITS, seed, "person")
    counties = len(geography.counties)
    county, rest = spot % counties, spot // counties
    birth, sequence = rest % BIRTH_DAYS + FIRST_BIRTH, rest // BIRTH_DAYS
    born = birth.astype("datetime64[D]")
    compact = pa.array(born).cast(pa.string())
    area = pick(geography.county_codes, county)
    prefix = join(area, _compact(compact), padded(sequence, 3))
    matrix = matrix_of(prefix, 17)
    citizen_id = fixed(np.column_stack([matrix, check_digits_citizen_id(matrix)]))
    family = SURNAMES
    weights = 1.0 / (np.arange(len(family)) + 6.0)
    name = join(
        pick(family, random.choice(len(family), count, p=weights / weights.sum())),
        pick(list(GIVEN), random.integers(0, len(GIVEN), count)),
        pick(["", *GIVEN], np.where(random.random(count) < 0.75, random.integers(1, len(GIVEN) + 1, count), 0)),
    )
    home = random.integers(0, len(places), count)
    rooms = join(plain(random.integers(1, 20, count)), "栋", plain(random.integers(101, 1800, count)), "室")
    columns = {
        "name": name,
        "citizen_id": citizen_id,
        "phone": join(LOCAL_PREFIX, padded(permute(numbers, PERSON_BITS, seed, "phone"), 8)),
        "citizen_id_kind": constant("居民身份证", count),
        "sex": pick(["女", "男"], sequence % 2),
        "born_on": iso_dates(birth),
        "area": take(places.columns["area"], home),
        "address": join(take(places.columns["address"], home), rooms),
    }
    return People(start, columns)


def _compact(iso: Text) -> Text:
    matrix = matrix_of(iso, 10)
    return fixed(matrix[:, [0, 1, 2, 3, 5, 6, 8, 9]])
