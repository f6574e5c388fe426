"""The OpenAPI 3.0 document of the OGC interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_PROBLEM = {
    "description": "参数有误、没有找到或者尚未就绪 / a wrong parameter, not found, or not ready",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}


def openapi(server: str, collections: Sequence[str], limit: int, most: int) -> dict[str, Any]:
    """The document.

    Args:
        server: absolute address of the landing page, without a slash at its end.
        collections: ids of the collections.
        limit, most: features on a page where nothing is said, and at most.
    """
    name = _parameter("collectionId", "path", {"type": "string", "enum": list(collections)}, "集合 / the collection")
    feature = _parameter("featureId", "path", {"type": "string"}, "要素 / the feature")
    paging = [
        _parameter(
            "bbox", "query",
            {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
            "西,南,东,北（度，CRS84） / west,south,east,north in degrees",
            style="form", explode=False,
        ),
        _parameter("datetime", "query", {"type": "string"}, "日期、时刻或区间 / a day, an instant or an interval"),
        _parameter(
            "limit", "query", {"type": "integer", "minimum": 1, "maximum": most, "default": limit}, "每页要素 / on a page"
        ),
        _parameter("after", "query", {"type": "string"}, "上一页最后一个要素 / the last feature of the page before"),
    ]  # fmt: skip
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "数通空间数据 / Shutong spatial data",
            "version": "1.0.0",
            "description": "OGC API - Features, Part 1: Core",
        },
        "servers": [{"url": server}],
        "paths": {
            "/": _get("landing", "入口 / the landing page"),
            "/conformance": _get("conformance", "符合的标准 / conformance"),
            "/api": _get("api", "本文件 / this document", "application/vnd.oai.openapi+json;version=3.0"),
            "/collections": _get("collections", "集合 / collections"),
            "/collections/{collectionId}": _get("collection", "一个集合 / a collection", parameters=[name]),
            "/collections/{collectionId}/items": _get(
                "items", "要素 / features", "application/geo+json", [name, *paging]
            ),
            "/collections/{collectionId}/items/{featureId}": _get(
                "item", "一个要素 / a feature", "application/geo+json", [name, feature]
            ),
        },
    }


def _parameter(name: str, where: str, schema: dict[str, Any], description: str, **more: Any) -> dict[str, Any]:
    required = where == "path"
    return {"name": name, "in": where, "required": required, "schema": schema, "description": description, **more}


def _get(
    operation: str, summary: str, kind: str = "application/json", parameters: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    answer = {"description": summary, "content": {kind: {"schema": {"type": "object"}}}}
    responses = {"200": answer, "400": _PROBLEM, "404": _PROBLEM, "503": _PROBLEM}
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "tags": ["features"],
            "parameters": list(parameters),
            "responses": responses,
        }
    }
