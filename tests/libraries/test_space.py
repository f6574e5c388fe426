"""Libraries placed in space: who has a point and why, who never has, and the file that map programs read."""

from __future__ import annotations

import datetime as dt
import json
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shutong.accounts.actors import SYSTEM, Actor, NotAllowedError
from shutong.audit.models import Departure, Entry
from shutong.libraries.actions import export_library
from shutong.libraries.geoparquet import points_wkb, write_geoparquet
from shutong.libraries.space import placed, placed_libraries, reference_system
from shutong.spec.catalog import Catalog
from shutong.spec.models import Library
from tests.subjects.town import resource

ADDRESS = resource(
    resource="address", key=["no"],
    items={
        "no": {"title": "号", "required": True},
        "address": {"element": "address", "title": "地址"},
        "area": {"element": "area", "title": "区划"},
        "lon": {"element": "longitude", "unit": "wgs84", "title": "经度"},
        "lat": {"element": "latitude", "unit": "wgs84", "title": "纬度"},
    },
    about={"kind": "place", "registry": True, "address": "address", "area": "area"},
)  # fmt: skip


def library(name: str, kind: str, space: dict[str, Any] | None, attributes: dict[str, Any], **keys: Any) -> Library:
    declared = {"library": name, "title": name, "kind": kind, "public": True, "attributes": attributes, **keys}
    return Library.model_validate(declared | ({"space": space} if space is not None else {}))


PLACES = library("places", "place", {"point": ["lon", "lat"]}, {
    "area": {"title": "区划", "element": "area", "from": ["address.area"]},
    "lon": {"title": "经度", "element": "longitude", "from": ["address.lon"]},
    "lat": {"title": "纬度", "element": "latitude", "from": ["address.lat"]},
})  # fmt: skip
HOUSES = library("houses", "place", {}, {"no": {"title": "号", "from": ["address.no"]}}, each=["no"])
REGIONS = library("regions", "place", {"area": "code", "since": "first", "until": "last"}, {
    "code": {"title": "代码", "element": "area", "from": ["address.area"]},
    "first": {"title": "起", "element": "date", "from": ["address.no"]},
    "last": {"title": "止", "element": "date", "from": ["address.no"]},
})  # fmt: skip
FIRMS = library("firms", "organisation", {"at": "seat"}, {
    "name": {"title": "名称", "element": "org-name", "from": ["r.name"]},
    "boss": {"title": "负责人", "element": "person-name", "from": ["r.boss"], "grade": 2, "mask": "surname"},
    "phone": {"title": "电话", "element": "mobile", "from": ["r.phone"], "grade": 3, "mask": "hide"},
    "capital": {"title": "资本", "element": "money", "from": ["r.capital"], "grade": 2, "mask": "hide"},
})  # fmt: skip
CLOSED = library(
    "closed", "organisation", {"at": "seat"}, {"name": {"title": "名称", "from": ["r.name"]}}, public=False
)
PEOPLE = library("people", "person", {}, {"name": {"title": "姓名", "from": ["r.boss"]}})
CATALOG = Catalog(
    resources={"address": ADDRESS},
    libraries={one.library: one for one in (PLACES, HOUSES, REGIONS, FIRMS, CLOSED, PEOPLE)},
)

TABLES: dict[str, list[dict[str, Any]]] = {
    "library/places": [
        {"subject_id": "l1", "area": "980101", "lon": Decimal("134.10000000"), "lat": Decimal("22.10000000")},
        {"subject_id": "l2", "area": "980101", "lon": Decimal("134.30000000"), "lat": Decimal("22.30000000")},
        {"subject_id": "l3", "area": "980102", "lon": Decimal("135.00000000"), "lat": Decimal("23.00000000")},
        {"subject_id": "l4", "area": "980103", "lon": None, "lat": None},
    ],
    "library/houses": [{"subject_id": "l1", "no": "甲"}, {"subject_id": "l1", "no": "乙"}, {"subject_id": "l4", "no": "丙"}],
    "library/regions": [
        {"subject_id": code, "code": code, "first": dt.date(2021, 6, 1), "last": None}
        for code in ("980101", "980102", "980103", "980100", "980000")
    ],
    "library/firms": [
        {"subject_id": "o1", "name": "青禾公司 13800001234", "boss": "王五", "phone__key": "h", "capital": Decimal("1.00")},
        {"subject_id": "o2", "name": "楼上公司", "boss": None, "phone__key": None, "capital": None},
        {"subject_id": "o3", "name": "个体户", "boss": None, "phone__key": None, "capital": None},
        {"subject_id": "o4", "name": "无代码", "boss": None, "phone__key": None, "capital": None},
        {"subject_id": "o5", "name": "外地公司", "boss": None, "phone__key": None, "capital": None},
    ],
    "links": [
        {"record_id": f"r{n}", "kind": "organisation", "subject_id": f"o{n}", "principal": True, "current": True}
        for n in range(1, 6)
    ],
    "mentions": [
        {"record_id": f"r{n}", "kind": "place", "role": "seat", "current": True, "address_key": key, "area": "980101"}
        for n, key in enumerate(("青石路1号", "青石路2号8幢977室", "青石路1号", "青石路1号", "远方路9号"), start=1)
    ],
    "identifiers": [
        *({"subject_id": f"o{n}", "kind": "uscc", "value": f"{kind}980101MA", "current": True}
          for n, kind in ((1, "91"), (2, "52"), (3, "92"), (5, "91"))),
        {"subject_id": "l1", "kind": "place", "value": "青石路1号|980101", "current": True},
        {"subject_id": "l2", "kind": "place", "value": "青石路2号|980101", "current": True},
    ],
}  # fmt: skip


def rows_of(declared: Library) -> pa.Table:
    """What ``placed`` selects over the tables above."""
    one = placed(CATALOG, declared)
    with duckdb.connect() as connection:
        for view, table in one.views.items():
            connection.register(view, pa.Table.from_pylist(TABLES[table]))
        return connection.execute(one.sql.replace("{scope}", "_subject IS NOT NULL")).to_arrow_table()


def points(declared: Library) -> dict[str, tuple[Any, ...]]:
    return {
        row["_subject"]: (row["_x"], row["_y"], row["_point_from"], row["_addresses"])
        for row in rows_of(declared).to_pylist()
    }


def test_places_stand_where_they_are_and_nothing_is_made_up() -> None:
    assert points(PLACES) == {
        "l1": (134.1, 22.1, "own-coordinates", None),
        "l2": (134.3, 22.3, "own-coordinates", None),
        "l3": (135.0, 23.0, "own-coordinates", None),
        "l4": (None, None, None, None),
    }


def test_instances_have_features_of_their_own_at_the_same_place() -> None:
    rows = rows_of(HOUSES).to_pylist()
    assert [(row["_subject"], row["no"], row["_x"]) for row in sorted(rows, key=lambda row: row["no"])] == [
        ("l4", "丙", None), ("l1", "乙", 134.1), ("l1", "甲", 134.1),
    ]  # fmt: skip
    assert len({row["_feature"] for row in rows}) == 3
    assert all(row["_feature"].startswith(f"{row['_subject']}-") for row in rows)


def test_an_area_is_marked_by_the_mean_of_its_addresses_and_says_so() -> None:
    mean = "mean-of-addresses"
    assert points(REGIONS) == {
        "980101": (134.2, 22.2, mean, 2),
        "980102": (135.0, 23.0, mean, 1),
        "980103": (None, None, None, None),
        "980100": (pytest.approx(134.466667), pytest.approx(22.466667), mean, 3),
        "980000": (pytest.approx(134.466667), pytest.approx(22.466667), mean, 3),
    }
    assert {row["_since"] for row in rows_of(REGIONS).to_pylist()} == {dt.date(2021, 6, 1)}


def test_an_organisation_stands_at_the_house_of_its_registered_address() -> None:
    assert points(FIRMS) == {
        "o1": (134.1, 22.1, "registered-address", None),
        "o2": (134.3, 22.3, "registered-address", None),
        "o5": (None, None, None, None),
    }, "individual businesses and organisations without a unified code are not placed"


def test_only_public_attributes_leave_masked_and_without_personal_numbers() -> None:
    rows = rows_of(FIRMS)
    assert [name for name in rows.column_names if not name.startswith("_")] == ["name", "boss"]
    (first,) = [row for row in rows.to_pylist() if row["_subject"] == "o1"]
    assert (first["name"], first["boss"]) == ("青禾公司 ******", "王**")


def test_persons_and_closed_libraries_are_never_placed() -> None:
    assert [one.library for one in placed_libraries(CATALOG)] == ["places", "houses", "regions", "firms"]
    for one in (PEOPLE, CLOSED):
        with pytest.raises(ValueError, match="not placed"):
            placed(CATALOG, one)


def test_the_reference_system_is_what_the_sources_say() -> None:
    assert reference_system(CATALOG) == "wgs84"
    lon = ADDRESS.items["lon"].model_copy(update={"unit": None})
    mixed = ADDRESS.model_copy(update={"items": {**ADDRESS.items, "lon": lon}})
    assert reference_system(Catalog(resources={"address": mixed}, libraries=CATALOG.libraries)) == "cgcs2000"


# ---- GeoParquet ------------------------------------------------------------------------------------------------------


def decoded(wkb: bytes | None) -> tuple[float, float] | None:
    if wkb is None:
        return None
    order, kind, x, y = struct.unpack("<BIdd", wkb)
    assert (order, kind, len(wkb)) == (1, 1, 21)
    return x, y


def test_points_as_well_known_binary() -> None:
    x, y = (pa.chunked_array([values], pa.float64()) for values in ([134.1, None, -70.5], [22.1, 1.0, -33.25]))
    assert [decoded(one) for one in points_wkb(x, y).to_pylist()] == [(134.1, 22.1), None, (-70.5, -33.25)]


def test_the_file_is_geoparquet(tmp_path: Path) -> None:
    path = tmp_path / "firms.parquet"
    digest = write_geoparquet(path, rows_of(FIRMS), "cgcs2000")
    assert len(digest) == 64 and [one.name for one in tmp_path.iterdir()] == ["firms.parquet"]
    table = pq.read_table(path)
    assert table.column_names == [
        "feature",
        "geometry",
        "point_from",
        "addresses",
        "valid_from",
        "valid_to",
        "name",
        "boss",
    ]
    assert [decoded(one) for one in table["geometry"].to_pylist()] == [(134.1, 22.1), (134.3, 22.3), None]
    geo = json.loads(table.schema.metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert (geo["version"], column["encoding"], column["geometry_types"]) == ("1.1.0", "WKB", ["Point"])
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 4490}
    assert column["bbox"] == [134.1, 22.1, 134.3, 22.3]
    write_geoparquet(path, rows_of(PLACES), "wgs84")
    assert "crs" not in json.loads(pq.read_schema(path).metadata[b"geo"])["columns"]["geometry"], "OGC:CRS84"


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "places.parquet"
    write_geoparquet(path, rows_of(PLACES), "wgs84")
    before = path.read_bytes()
    with pytest.raises(OSError, match="no-such-folder"):
        write_geoparquet(tmp_path / "no-such-folder" / "x.parquet", rows_of(PLACES), "wgs84")
    assert path.read_bytes() == before


@pytest.mark.django_db
def test_an_export_is_written_down_and_needs_the_right(tmp_path: Path) -> None:
    made = export_library(
        "firms", rows_of(FIRMS), "wgs84", tmp_path / "firms.parquet", dt.date(2026, 7, 14), acting=SYSTEM
    )
    assert (made.rows, made.points, made.path.exists()) == (3, 2, True)
    departure = Departure.objects.get()
    assert (departure.channel, departure.receiver, departure.count) == ("download", "public", 3)
    assert json.loads(departure.selection)["sha256"] == made.sha256
    body = Entry.objects.get(action="libraries.export_library").body
    assert json.loads(body)["detail"]["library"] == "firms" and "青禾" not in body
    steward = Actor(id="u-1", name="专员", department="market", roles=frozenset({"steward"}))
    with pytest.raises(NotAllowedError):
        export_library("firms", rows_of(FIRMS), "wgs84", tmp_path / "x.parquet", dt.date(2026, 7, 14), acting=steward)
    assert not (tmp_path / "x.parquet").exists()
