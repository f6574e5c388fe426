"""OGC API - Features: what the standard asks for, read by hand and by OWSLib from a live server."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.test import Client
from owslib.ogcapi.features import Features
from pytest_django.live_server_helper import LiveServer

from shutong.pipeline.answers import schema
from shutong.pipeline.answers.write import catalog_batch, swap_in, write_file

TITLE = {"zh": "标准地址基础库", "en": "Base library of addresses"}
LIBRARIES: dict[str, dict[str, Any]] = {
    "place": {
        "title": TITLE, "kind": "place", "class": "base",
        "space": {"point": ["longitude", "latitude"], "area": None, "at": None, "since": "entered_on", "until": None},
        "attributes": {"use": {"title": {"zh": "用途"}, "element": "code", "codes": "use", "sources": []}},
    },
    "region": {
        "title": {"zh": "行政区划基础库"}, "kind": "place", "class": "base",
        "space": {"point": None, "area": "code", "at": None, "since": None, "until": None}, "attributes": {},
    },
    "legal-entity": {
        "title": {"zh": "法人库"}, "kind": "organisation", "class": "base",
        "space": {"point": None, "area": None, "at": "address", "since": None, "until": None}, "attributes": {},
    },
    "population": {"title": {"zh": "人口库"}, "kind": "person", "class": "base", "space": None, "attributes": {}},
}  # fmt: skip


def feature(
    collection: str, identity: str, x: float | None, y: float | None, first: str | None = None, last: str | None = None,
    **properties: Any,
) -> dict[str, Any]:  # fmt: skip
    return {
        "collection": collection, "feature_id": identity, "subject_id": identity, "place_id": identity, "x": x, "y": y,
        "valid_from": first, "valid_to": last, "properties": json.dumps(properties, ensure_ascii=False),
    }  # fmt: skip


# A grid of 30 addresses, ten to a row; areas of which one is retired and one has no address.
GRID = [
    feature("place", f"l{number:03}", 134 + number % 10 / 10, 22 + number // 10 / 10, "2026-06-15", None,
            code=f"A{number}", use="10", point_from="own-coordinates")
    for number in range(30)
]  # fmt: skip
AREAS = [
    feature("region", "lnew", 134.2, 22.1, "2021-06-01", None, code="980105", addresses=12, point_from="mean-of-addresses"),
    feature("region", "lold", None, None, None, "2021-05-31", code="980109", successor="980105"),
    feature("region", "lever", 134.5, 22.1, None, None, code="980100"),
]  # fmt: skip
FIRMS = [feature("legal-entity", "ofirm", 134.0, 22.0, "2015-03-01", None, name="澜川云帆食品有限公司")]


@pytest.fixture
def ogc(tmp_path: Path, settings: Any, db: None) -> Client:
    """A site whose answers hold the features above."""
    folder = tmp_path / "answers"
    folder.mkdir()
    path = folder / f"answers-{secrets.token_hex(4)}.sqlite3"
    meta = {"business_day": "2026-07-14", "built_at": "2026-07-14T00:00:00+00:00", "run_id": "r"}
    codes = {"use": {"10": {"zh": "住宅", "en": "Dwelling"}}}
    write_file(
        path,
        {
            schema.META.name: [pa.RecordBatch.from_pydict({"name": list(meta), "value": list(meta.values())})],
            schema.CATALOG.name: [catalog_batch({"library": LIBRARIES, "codes": codes})],
            schema.FEATURE.name: pa.Table.from_pylist([*GRID, *AREAS, *FIRMS]).to_batches(),
        },
    )
    swap_in(folder, path)
    settings.SHUTONG_HOME = tmp_path
    return Client()


def get(client: Client, address: str, status: int = 200, kind: str = "application/json") -> Any:
    response = client.get(f"/ogc{address}")
    assert (response.status_code, response["Content-Type"]) == (status, kind), response.content
    return json.loads(response.content)


def found(client: Client, query: str, collection: str = "place") -> list[str]:
    answer = get(client, f"/collections/{collection}/items?{query}", kind="application/geo+json")
    assert answer["numberReturned"] == len(answer["features"])
    return [one["id"] for one in answer["features"]]


def test_the_way_in(ogc: Client) -> None:
    for address in ("", "/"):
        landing = get(ogc, address)
        links = {link["rel"]: link for link in landing["links"]}
        assert set(links) >= {"self", "service-desc", "conformance", "data"}
    for rel in ("service-desc", "conformance", "data"):
        response = ogc.get(links[rel]["href"])
        assert (response.status_code, response["Content-Type"]) == (200, links[rel]["type"])
        assert response["Access-Control-Allow-Origin"] == "*"
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in get(ogc, "/conformance")["conformsTo"]
    document = get(ogc, "/api", kind="application/vnd.oai.openapi+json;version=3.0")
    assert set(document["paths"]) >= {"/", "/conformance", "/collections", "/collections/{collectionId}/items"}


def test_collections_are_the_placed_libraries_with_what_they_span(ogc: Client) -> None:
    told = {one["id"]: one for one in get(ogc, "/collections")["collections"]}
    assert list(told) == ["place", "region", "legal-entity"], "the library of persons is none"
    assert told["place"]["title"] == TITLE["zh"]
    assert told["place"]["extent"]["spatial"]["bbox"] == [[134.0, 22.0, 134.9, 22.2]]
    assert told["place"]["extent"]["temporal"]["interval"] == [["2026-06-15T00:00:00Z", None]]
    assert "不是边界" in told["region"]["description"] and "不含个体工商户" in told["legal-entity"]["description"]
    one = get(ogc, "/collections/place")
    assert one == told["place"]
    items = next(link["href"] for link in one["links"] if link["rel"] == "items")
    assert ogc.get(items)["Content-Type"] == "application/geo+json"


def test_pages_lead_through_every_feature_once(ogc: Client) -> None:
    address, seen, pages = "http://testserver/ogc/collections/place/items?limit=7", [], 0
    while address:
        answer = json.loads(ogc.get(address).content)
        assert answer["numberMatched"] == 30
        seen += [one["id"] for one in answer["features"]]
        address = next((link["href"] for link in answer["links"] if link["rel"] == "next"), "")
        pages += 1
    assert seen == [one["feature_id"] for one in GRID] and pages == 5
    assert len(found(ogc, "")) == 10
    assert len(found(ogc, "limit=100000")) == 30, "more than the most is the most, not an error"


def test_boxes(ogc: Client) -> None:
    assert found(ogc, "bbox=134,22,134.1,22.1") == ["l000", "l001", "l010", "l011"]
    assert found(ogc, "bbox=134,22,0,134.1,22.1,100") == ["l000", "l001", "l010", "l011"]
    assert found(ogc, "bbox=134.85,-90,-170,90") == ["l009", "l019", "l029"], "across the antimeridian"
    assert found(ogc, "bbox=0,0,1,1") == []
    assert found(ogc, "bbox=-180,-90,180,90", "region") == ["lever", "lnew"], "no point, no box"
    page = get(ogc, "/collections/place/items?bbox=134,22,134.9,22.1&limit=15", kind="application/geo+json")
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert "bbox=134" in following
    assert [one["id"] for one in json.loads(ogc.get(following).content)["features"]] == [
        f"l{n:03}" for n in range(15, 20)
    ]


def test_times(ogc: Client) -> None:
    assert found(ogc, "datetime=2021-05-31", "region") == ["lever", "lold"]
    assert found(ogc, "datetime=2021-06-01T08:00:00Z", "region") == ["lever", "lnew"]
    assert found(ogc, "datetime=../2020-01-01", "region") == ["lever", "lold"]
    assert found(ogc, "datetime=2021-06-01/", "region") == ["lever", "lnew"]
    assert found(ogc, "datetime=2021-05-01/2021-07-01", "region") == ["lever", "lnew", "lold"]
    assert found(ogc, "datetime=2020-01-01") == []


def test_a_feature_says_what_its_point_is(ogc: Client) -> None:
    firm = get(ogc, "/collections/legal-entity/items/ofirm", kind="application/geo+json")
    assert firm["geometry"] == {"type": "Point", "coordinates": [134.0, 22.0]}
    assert firm["properties"]["name"] == "澜川云帆食品有限公司"
    old, new = (get(ogc, f"/collections/region/items/{one}", kind="application/geo+json") for one in ("lold", "lnew"))
    assert old["geometry"] is None and old["properties"]["valid_to"] == "2021-05-31"
    assert (new["properties"]["point_from"], new["properties"]["addresses"]) == ("mean-of-addresses", 12)
    place = get(ogc, "/collections/place/items/l000", kind="application/geo+json")
    assert (place["properties"]["use"], place["properties"]["use_text"]) == ("10", "住宅")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/collections/population", 404),
        ("/collections/population/items", 404),
        ("/collections/place/items/nobody", 404),
        ("/collections/place/items?limit=0", 400),
        ("/collections/place/items?limit=x", 400),
        ("/collections/place/items?bbox=1,2,3", 400),
        ("/collections/place/items?bbox=1,2,3,nan", 400),
        ("/collections/place/items?bbox=1,5,3,4", 400),
        ("/collections/place/items?bbox=200,0,210,1", 400),
        ("/collections/place/items?datetime=yesterday", 400),
        ("/collections/place/items?datetime=../..", 400),
        ("/collections/place/items?datetime=2022-01-01/2021-01-01", 400),
        ("/collections/place/items?colour=980101199001010017", 400),
        ("/collections?limit=1", 400),
        ("/?f=html", 400),
    ],
)
def test_mistakes_are_told_and_not_repeated(ogc: Client, address: str, status: int) -> None:
    problem = get(ogc, address, status, "application/problem+json")
    assert problem["status"] == status and problem["detail"]
    assert "980101199001010017" not in json.dumps(problem)


def test_before_the_first_run_it_says_so(tmp_path: Path, settings: Any, db: None) -> None:
    settings.SHUTONG_HOME = tmp_path
    get(Client(), "/collections", 503, "application/problem+json")
    assert Client().post("/ogc/collections").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_owslib_reads_it(ogc: Client, live_server: LiveServer) -> None:
    service = Features(f"{live_server.url}/ogc")
    assert (
        service.links
        and "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson" in service.conformance()["conformsTo"]
    )
    assert service.feature_collections() == ["place", "region", "legal-entity"]
    assert service.collection("place")["extent"]["spatial"]["bbox"] == [[134.0, 22.0, 134.9, 22.2]]
    assert service.api()["openapi"].startswith("3.0")
    page = service.collection_items("place", bbox=[134, 22, 134.1, 22.1], limit=3)
    assert (page["numberMatched"], page["numberReturned"]) == (4, 3)
    assert page["features"][0]["geometry"] == {"type": "Point", "coordinates": [134.0, 22.0]}
    assert service.collection_item("region", "lold")["geometry"] is None
    when = service.collection_items("region", datetime_="2021-06-01/..")
    assert [one["id"] for one in when["features"]] == ["lever", "lnew"]
