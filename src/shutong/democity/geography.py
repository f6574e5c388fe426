"""Where the city lies: the fictional areas 98xxxx of the standards, their towns, roads and house numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shutong.democity.text import Ints, Text, join, padded, permute, pick, plain
from shutong.democity.words import ROAD_FIRST, ROAD_LAST, TOWNS
from shutong.standards.areas import areas

ROADS = tuple(first + last for last in ROAD_LAST for first in ROAD_FIRST)
PLACE_BITS = 19
"""A county has 2**19 possible houses: towns times roads times house numbers."""


@dataclass(frozen=True)
class Geography:
    """Names and codes of the province, the city and its counties."""

    province: str
    city: str
    city_code: str
    counties: tuple[tuple[str, str], ...]

    @cached_property
    def short_city(self) -> str:
        """The city's name without 市."""
        return self.city.removesuffix("市")

    @cached_property
    def county_codes(self) -> tuple[str, ...]:
        """Six-digit codes of the counties."""
        return tuple(code for code, _ in self.counties)

    @cached_property
    def county_names(self) -> tuple[str, ...]:
        """Names of the counties."""
        return tuple(name for _, name in self.counties)

    def short_county(self, index: Ints) -> Text:
        """County names without 区, 县 or 市, as branches carry them."""
        return pick([name[:-1] if len(name) > 2 else name for name in self.county_names], index)


@dataclass(frozen=True)
class Places:
    """Houses of one block of the city."""

    start: int
    county: Ints
    columns: dict[str, Text]

    def __len__(self) -> int:
        return len(self.county)


def make_places(geography: Geography, start: int, count: int, seed: int) -> Places:
    """``count`` houses with numbers from ``start``; no two houses of the city share county, road and number."""
    counties = len(geography.counties)
    numbers = np.arange(start, start + count, dtype=np.int64)
    county = numbers % counties
    spot = permute(numbers // counties, PLACE_BITS, seed, "place")
    road, rest = spot % len(ROADS), spot // len(ROADS)
    town, house = pick(TOWNS, rest % len(TOWNS)), rest // len(TOWNS) + 1
    area = pick(geography.county_codes, county)
    number = join(plain(house), "号")
    roads = pick(ROADS, road)
    address = join(geography.province, geography.city, pick(geography.county_names, county), town, roads, number)
    code = join(area, "P", plain(numbers + 100_000_000))
    longitude, latitude = _coordinates(county, rest % len(TOWNS), road, house)
    columns = {
        "code": code,
        "area": area,
        "address": address,
        "town": town,
        "road": roads,
        "house_number": number,
        "longitude": longitude,
        "latitude": latitude,
    }
    return Places(start, county, columns)


WEST, SOUTH = 133_700_000, 22_700_000
"""Corner of the city in millionths of a degree: open water of the Philippine Sea, so that no point of the fictional
city lies on a real place, and within the rectangle that holds China."""

_COUNTY, _TOWN = (180_000, 160_000), (42_000, 72_000)
_COUNTIES_WIDE, _TOWNS_WIDE = 3, 4
_SIDE = 80
"""Distance of a house from the middle of its road; odd numbers stand on one side, even ones on the other."""


def _coordinates(county: Ints, town: Ints, road: Ints, house: Ints) -> tuple[Text, Text]:
    """Longitude and latitude of each house: counties and towns side by side, roads through a town, numbers along a road."""
    width, height = _TOWN
    along, across = house * 100_000 // (1 << 9), road * 100_000 // len(ROADS)
    eastward = road % 2 == 0
    side = np.where(house % 2 == 0, _SIDE, -_SIDE)
    east = np.where(eastward, along, across) * width // 100_000 + np.where(eastward, 0, side)
    north = np.where(eastward, across, along) * height // 100_000 + np.where(eastward, side, 0)
    east += WEST + county % _COUNTIES_WIDE * _COUNTY[0] + town % _TOWNS_WIDE * width
    north += SOUTH + county // _COUNTIES_WIDE * _COUNTY[1] + town // _TOWNS_WIDE * height
    longitude, latitude = (join(plain(v // 1_000_000), ".", padded(v % 1_000_000, 6)) for v in (east, north))
    return longitude, latitude


def city_of_standards() -> Geography:
    """The fictional city as the overlay of the standards names it."""
    overlay = sorted(
        (area for code, area in areas().items() if code.startswith("98") and area.until is None),
        key=lambda area: area.code,
    )
    named = {level: [area for area in overlay if area.level == level] for level in ("province", "city", "county")}
    city = named["city"][0]
    counties = tuple((area.code, area.name) for area in named["county"] if area.code.startswith(city.code[:4]))
    return Geography(named["province"][0].name, city.name, city.code, counties)
