"""OGC API - Features, Part 1: Core (OGC 17-069r4): the placed libraries for programs that draw maps.

Landing page, conformance, collections, features as GeoJSON (RFC 7946) with ``bbox``, ``datetime``, ``limit`` and paging
by ``after``. Coordinates are longitude and latitude in degrees; CGCS2000, in which they are delivered, and CRS84 agree
within a decimetre.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from shutong.pipeline.answers.store import AnswersMissing, Row

from ..answers import store
from ..metadata import Metadata, metadata
from ..problems import PROBLEM_JSON, problem_of
from ..queries import features as queries
from ..queries.features import Box, Collection, Span
from .ogc_document import openapi

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

JSON, GEOJSON = "application/json", "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "oas30", "geojson")
)
LIMIT, MOST = 10, 1000
"""Features on a page where nothing is said, and at most."""

_PAGED = ("bbox", "datetime", "limit", "after")


class BadParameterError(ValueError):
    """A parameter that can't be understood; carries what is wrong in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")


def _answer(content: Any, kind: str = JSON, status: int = 200) -> HttpResponse:
    response = HttpResponse(orjson.dumps(content), content_type=kind, status=status)
    # Public data, read by maps on other sites.
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _problem(status: int, code: str, detail: str) -> HttpResponse:
    return _answer(problem_of(status, code, detail), PROBLEM_JSON, status)


def _ogc(*allowed: str) -> Callable[[View[P]], View[P]]:
    """A view of the interface: GET only, known parameters only (core, requirement 8), errors as problem details."""

    def wrap(view: View[P]) -> View[P]:
        @require_safe
        @wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            unknown = sorted(set(request.GET) - set(allowed) - {"f"})
            try:
                if unknown:
                    # The name alone: its value may be a personal number.
                    known = ", ".join(allowed) or "f"
                    raise BadParameterError(f"不认识的参数，可用：{known}", f"an unknown parameter; known: {known}")
                if request.GET.get("f", "json") not in {"json", "geojson"}:
                    raise BadParameterError("f 只能是 json", "f can only be json")
                return view(request, *args, **kwargs)
            except BadParameterError as error:
                return _problem(400, "invalid-parameters", str(error))
            except AnswersMissing as error:
                return _problem(503, "answers-missing", str(error))

        return checked

    return wrap


def _link(request: HttpRequest, view: str, rel: str, kind: str, title: str, *args: str) -> dict[str, str]:
    href = request.build_absolute_uri(reverse(view, args=args))
    return {"href": href, "rel": rel, "type": kind, "title": title}


@_ogc()
def landing(request: HttpRequest) -> HttpResponse:
    """Where everything is."""
    return _answer(
        {
            "title": "数通空间数据 / Shutong spatial data",
            "description": "公开的基础库在空间中的位置。坐标为经纬度（2000国家大地坐标系）；没有坐标的不编造；不含自然人住所。"
            " Public base libraries placed in space; longitude and latitude (CGCS2000); nothing is made up where no "
            "coordinates are known; no home of a person.",
            "links": [
                _link(request, "ogc", "self", JSON, "本页 / this page"),
                _link(request, "ogc-api", "service-desc", OPENAPI, "接口定义 / the API definition"),
                _link(request, "ogc-conformance", "conformance", JSON, "符合的标准 / conformance"),
                _link(request, "ogc-collections", "data", JSON, "集合 / collections"),
            ],
        }
    )


@_ogc()
def conformance(_request: HttpRequest) -> HttpResponse:
    """The classes of the standard that the interface conforms to."""
    return _answer({"conformsTo": CONFORMANCE})


@_ogc()
def api_definition(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    names = [one.name for one in queries.collections(store())]
    return _answer(openapi(request.build_absolute_uri(reverse("ogc")).rstrip("/"), names, LIMIT, MOST), OPENAPI)


@_ogc()
def collections(request: HttpRequest) -> HttpResponse:
    """Every collection."""
    return _answer(
        {
            "links": [_link(request, "ogc-collections", "self", JSON, "本页 / this page")],
            "collections": [_collection(request, one) for one in queries.collections(store())],
        }
    )


@_ogc()
def collection(request: HttpRequest, name: str) -> HttpResponse:
    """One collection."""
    found = queries.collection(store(), name)
    return _answer(_collection(request, found)) if found else _missing("没有这个集合 / no such collection")


def _missing(detail: str) -> HttpResponse:
    return _problem(404, "not-found", detail)


def _collection(request: HttpRequest, one: Collection) -> dict[str, Any]:
    extent: dict[str, Any] = {
        "temporal": {"interval": [[_instant(one.span.first), _instant(one.span.last)]]},
    }
    if one.box:
        box = [one.box.west, one.box.south, one.box.east, one.box.north]
        extent["spatial"] = {"bbox": [box], "crs": CRS84}
    return {
        "id": one.name,
        "title": one.title,
        "description": _described(one.content),
        "itemType": "feature",
        "crs": [CRS84],
        "extent": extent,
        "links": [
            _link(request, "ogc-collection", "self", JSON, one.title, one.name),
            _link(request, "ogc-items", "items", GEOJSON, one.title, one.name),
        ],
    }


def _described(content: Mapping[str, Any]) -> str:
    space = content["space"]
    if space["area"]:
        return (
            "点为辖区内标准地址坐标的平均，只作代表，不是边界；没有地址的区划没有位置。 "
            "Points are the mean of the addresses in the area and represent it; they bound nothing."
        )
    if space["at"]:
        return (
            "位置为登记住所所在门牌；不含个体工商户。 "
            "Points are those of the registered address; individual businesses are left out."
        )
    return "位置为登记的坐标。 Points are the registered coordinates."


def _instant(day: dt.date | None) -> str | None:
    return f"{day}T00:00:00Z" if day else None


@_ogc(*_PAGED)
def items(request: HttpRequest, name: str) -> HttpResponse:
    """A page of features."""
    answers = store()
    if queries.collection(answers, name) is None:
        return _missing("没有这个集合 / no such collection")
    limit = _limit(request.GET.get("limit"))
    box, span = _box(request.GET.get("bbox")), _span(request.GET.get("datetime"))
    found = queries.features(answers, name, box=box, span=span, after=request.GET.get("after", "")[:80], limit=limit)
    known = metadata(answers)
    links = [_page_link(request, name, "self", dict(request.GET.items()))]
    if found.more:
        links.append(_page_link(request, name, "next", {**request.GET.dict(), "after": found.rows[-1]["feature_id"]}))
    links.append(_link(request, "ogc-collection", "collection", JSON, "集合 / the collection", name))
    return _answer(
        {
            "type": "FeatureCollection",
            "features": [_feature(known, name, row) for row in found.rows],
            "links": links,
            "timeStamp": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "numberMatched": found.matched,
            "numberReturned": len(found.rows),
        },
        GEOJSON,
    )


def _page_link(request: HttpRequest, name: str, rel: str, query: Mapping[str, Any]) -> dict[str, str]:
    link = _link(request, "ogc-items", rel, GEOJSON, rel, name)
    kept = {key: value for key, value in query.items() if key in {*_PAGED, "f"}}
    return {**link, "href": f"{link['href']}?{urlencode(kept)}" if kept else link["href"]}


@_ogc()
def item(request: HttpRequest, name: str, feature_id: str) -> HttpResponse:
    """One feature."""
    answers = store()
    row = queries.feature(answers, name, feature_id)
    if row is None:
        return _missing("没有这个要素 / no such feature")
    links = [
        _link(request, "ogc-item", "self", GEOJSON, "本要素 / this feature", name, feature_id),
        _link(request, "ogc-collection", "collection", JSON, "集合 / the collection", name),
    ]
    return _answer({**_feature(metadata(answers), name, row), "links": links}, GEOJSON)


def _feature(known: Metadata, name: str, row: Row) -> dict[str, Any]:
    point = None if row["x"] is None else {"type": "Point", "coordinates": [row["x"], row["y"]]}
    return {
        "type": "Feature",
        "id": row["feature_id"],
        "geometry": point,
        "properties": queries.properties(known, name, row),
    }


def _limit(text: str | None) -> int:
    """How many features at most; larger numbers than the most are taken for it (core, requirement 22)."""
    if text is None:
        return LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise BadParameterError("limit 是正整数", "limit is a positive whole number")
    return min(int(text), MOST)


def _box(text: str | None) -> Box | None:
    """Four numbers, or six of which the heights are left aside."""
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or numbers[1] > numbers[3]:
        raise BadParameterError(
            "bbox 是四个数：西,南,东,北（度）", "bbox is four numbers: west,south,east,north in degrees"
        )
    if any(abs(x) > 180 for x in numbers[::2]) or any(abs(y) > 90 for y in numbers[1::2]):
        raise BadParameterError("bbox 超出经纬度的范围", "bbox lies outside the range of longitude and latitude")
    return Box(*numbers)


def _span(text: str | None) -> Span | None:
    """A day or an instant, or two of them around a slash, of which one may be ``..`` or empty."""
    if text is None:
        return None
    parts = text.split("/")
    if len(parts) > 2:
        raise BadParameterError("datetime 最多两个时间", "datetime holds two times at most")
    ends = [None if part in {"", ".."} and len(parts) == 2 else _day(part) for part in parts]
    first, last = ends[0], ends[-1]
    if first is None and last is None:
        raise BadParameterError("datetime 至少一端有日期", "datetime needs a time on one side at least")
    if first and last and first > last:
        raise BadParameterError("datetime 的起止颠倒", "datetime ends before it begins")
    return Span(first, last)


def _day(text: str) -> dt.date:
    try:
        if len(text) == 10:
            return dt.date.fromisoformat(text)
        # RFC 3339; a plus sign of a zone arrives as a blank where nobody encoded it.
        return dt.datetime.fromisoformat(text.replace(" ", "+")).date()
    except ValueError:
        raise BadParameterError(
            "datetime 写成 2026-07-01 或 2026-07-01T00:00:00Z，区间用 / 隔开",
            "datetime is written 2026-07-01 or 2026-07-01T00:00:00Z, an interval with a slash",
        ) from None


urlpatterns = [
    path("ogc", landing, name="ogc"),
    path("ogc/", landing),
    path("ogc/conformance", conformance, name="ogc-conformance"),
    path("ogc/api", api_definition, name="ogc-api"),
    path("ogc/collections", collections, name="ogc-collections"),
    path("ogc/collections/<slug:name>", collection, name="ogc-collection"),
    path("ogc/collections/<slug:name>/items", items, name="ogc-items"),
    path("ogc/collections/<slug:name>/items/<slug:feature_id>", item, name="ogc-item"),
]
