"""GeoParquet 1.1: a table of placed subjects as a Parquet file that map programs read (https://geoparquet.org)."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shutong.libraries.space import CGCS2000

GEOMETRY = "geometry"
VERSION = "1.1.0"

_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])

# EPSG:4490 as PROJJSON. GeoParquet stores x (longitude) before y whatever the axes of the system say.
_CGCS2000: dict[str, Any] = {
    "$schema": "https://proj.org/schemas/v0.7/projjson.schema.json",
    "type": "GeographicCRS",
    "name": "China Geodetic Coordinate System 2000",
    "datum": {
        "type": "GeodeticReferenceFrame",
        "name": "China 2000",
        "ellipsoid": {"name": "CGCS2000", "semi_major_axis": 6378137, "inverse_flattening": 298.257222101},
    },
    "coordinate_system": {
        "subtype": "ellipsoidal",
        "axis": [
            {"name": "Geodetic latitude", "abbreviation": "Lat", "direction": "north", "unit": "degree"},
            {"name": "Geodetic longitude", "abbreviation": "Lon", "direction": "east", "unit": "degree"},
        ],
    },
    "id": {"authority": "EPSG", "code": 4490},
}


def points_wkb(x: pa.ChunkedArray[Any], y: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """Points as well-known binary (little endian), null where either coordinate is."""
    lon, lat = (np.asarray(axis.combine_chunks().cast(pa.float64()), np.float64) for axis in (x, y))
    there = ~(np.isnan(lon) | np.isnan(lat))
    rows = np.zeros(int(there.sum()), _POINT)
    rows["order"], rows["type"], rows["x"], rows["y"] = 1, 1, lon[there], lat[there]
    offsets = np.concatenate([[0], np.cumsum(np.where(there, _POINT.itemsize, 0))]).astype(np.int32)
    valid = pa.py_buffer(np.packbits(there, bitorder="little").tobytes())
    buffers: list[pa.Buffer | None] = [valid, pa.py_buffer(offsets.tobytes()), pa.py_buffer(rows.tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(there), buffers)


def write_geoparquet(path: Path, rows: pa.Table, system: str) -> str:
    """Write placed rows (``libraries.space``) and return the file's SHA-256. The file appears when it is complete.

    Columns: ``feature``, ``geometry`` (WKB point or null), ``point_from``, ``addresses``, ``valid_from``, ``valid_to``, then
    the attributes.

    Args:
        system: ``cgcs2000`` or ``wgs84``.

    Raises:
        OSError: the file can't be written.
    """
    named = {
        "feature": rows.column("_feature"),
        GEOMETRY: points_wkb(rows.column("_x"), rows.column("_y")),
        "point_from": rows.column("_point_from"),
        "addresses": rows.column("_addresses"),
        "valid_from": rows.column("_since"),
        "valid_to": rows.column("_until"),
    }
    attributes = {name: rows.column(name) for name in rows.column_names if not name.startswith("_")}
    taken = {name: f"{name}_" if name in named else name for name in attributes}
    table = pa.table({**named, **{taken[name]: column for name, column in attributes.items()}})
    metadata = {b"geo": json.dumps(_geo(rows, system), ensure_ascii=False).encode()}
    partial = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        pq.write_table(table.replace_schema_metadata(metadata), partial, compression="zstd")
        digest = _sha256(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return digest


def _geo(rows: pa.Table, system: str) -> dict[str, Any]:
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Point"]}
    if system == CGCS2000:
        column["crs"] = _CGCS2000
    x, y = (rows.column(name).drop_null().to_numpy() for name in ("_x", "_y"))
    if len(x):
        column["bbox"] = [float(x.min()), float(y.min()), float(x.max()), float(y.max())]
    return {"version": VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
