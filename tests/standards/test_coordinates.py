"""Longitude and latitude: spellings, ranges, and what is never taken for one."""

from __future__ import annotations

import pyarrow as pa
import pytest

from shutong.standards.coordinates import check_latitude, check_longitude
from shutong.standards.elements import ELEMENTS

LONGITUDES = {
    "113.264385": "113.264385",
    "１１３．２６４３８５": "113.264385",
    "113.264385°": "113.264385",
    "E113.264385": "113.264385",
    "东经113.264385": "113.264385",
    "113.2643850E": "113.264385",
    "W70.5": "-70.5",
    "-70.50": "-70.5",
    "113°15′51.786″": "113.264385",
    "113度15分51.786秒": "113.264385",
    "113°15'51.786''E": "113.264385",
    "113°15.8631′": "113.264385",
    "134.012345678951": "134.01234568",
    "0": "0",
    "-0.000000001": "0",
    "180": "180",
}


@pytest.mark.parametrize(("text", "degrees"), LONGITUDES.items())
def test_spellings_of_one_longitude(text: str, degrees: str) -> None:
    assert check_longitude(text).canonical == degrees


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("180.00000001", "longitude.range"),
        ("-181", "longitude.range"),
        ("113264385", "longitude.range"),
        ("113°60′", "coordinate.format"),
        ("113.5°30′", "coordinate.format"),
        ("113°15.5′30″", "coordinate.format"),
        ("-113.2W", "coordinate.format"),
        ("113.2N", "coordinate.format"),
        ("113.26,23.12", "coordinate.format"),
        ("POINT(113 23)", "coordinate.format"),
        ("11\x003", "text.control"),
        ("— —", "empty"),
    ],
)
def test_what_is_no_longitude(text: str, reason: str) -> None:
    verdict = check_longitude(text)
    assert (verdict.valid, verdict.reason) == (False, reason)


def test_latitudes_end_at_the_poles() -> None:
    assert check_latitude("北纬23°06′32.4″").canonical == "23.109"
    assert check_latitude("S33.8568").canonical == "-33.8568"
    assert check_latitude("90.00000001").reason == "latitude.range"
    assert check_latitude("113.264385").reason == "latitude.range"
    assert check_latitude("113.264385E").reason == "coordinate.format"


def test_a_column_of_decimals_and_other_spellings() -> None:
    verdict = ELEMENTS["longitude"].column(pa.array(["113.264385", None, "113°15′51.786″", "200", "x"]), "wgs84")
    assert [str(value) if value is not None else None for value in verdict.canonical.to_pylist()] == [
        "113.26438500", None, "113.26438500", None, None,
    ]  # fmt: skip
    assert [verdict.reason_at(row) for row in range(5)] == [
        None, "empty", None, "longitude.range", "coordinate.format",
    ]  # fmt: skip


def test_only_geodetic_systems_are_known() -> None:
    assert ELEMENTS["latitude"].units == ("cgcs2000", "wgs84")
    with pytest.raises(ValueError, match="gcj02"):
        ELEMENTS["latitude"].scalar("23.1", "gcj02")
