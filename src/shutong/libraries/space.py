"""The public subjects of a library placed in space: one row each with a point, the time in which it is there, and its
public attributes.

Where nobody knows a point it is NULL: no boundary and no position is made up. A point says where it comes from
(``_point_from``): the subject's own coordinates, its registered address, or, for an area, the mean of the addresses in
it (``_addresses`` says how many), which represents the area and bounds nothing. Natural persons are never placed: no
library of persons is, and of organisations only those with a unified code that is no individual business's, since that
one may be registered at somebody's home.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shutong.libraries.tables import library_table
from shutong.libraries.text import FREE_TEXT, canonical_sql, scrubbed_sql
from shutong.spec.catalog import Catalog, default_mask, element_of, item_type, mask_sql, sealed, view_name
from shutong.spec.models import Attribute, Library, Space

OWN, REGISTERED, REPRESENTATIVE = "own-coordinates", "registered-address", "mean-of-addresses"
"""Values of ``_point_from``."""

COLUMNS = ("_feature", "_subject", "_place", "_x", "_y", "_point_from", "_addresses", "_since", "_until")
"""Columns before the attributes. Declared names can't begin with an underscore, so none is hit."""

CGCS2000, WGS84 = "cgcs2000", "wgs84"


@dataclass(frozen=True)
class Placed:
    """A library as a table of places: ``sql`` over ``views`` (name in the query to table of the lake).

    Columns: ``COLUMNS``, then the public attributes typed, masked ones as text. ``sql`` holds the marker ``{scope}``, a
    condition that begins with the column ``_subject``.
    """

    library: Library
    space: Space
    attributes: tuple[str, ...]
    sql: str
    views: Mapping[str, str]


def placed_libraries(catalog: Catalog) -> Iterator[Library]:
    """The libraries whose subjects are placed."""
    for library in catalog.libraries.values():
        if library.space is not None and library.public and library.kind != "person":
            yield library


def public_attributes(library: Library) -> dict[str, Attribute]:
    """The attributes that anybody may see, masked where the declaration says so."""
    return {
        name: attribute
        for name, attribute in library.attributes.items()
        if not sealed(attribute) and default_mask(attribute) != "hide"
    }


def reference_system(catalog: Catalog) -> str:
    """The reference system of the points: WGS 84 where every source says so, else CGCS2000."""
    units = {
        catalog.resources[name].items[item].unit or CGCS2000
        for library in _with_points(catalog)
        for attribute in library.space.point  # type: ignore[union-attr]
        for name, _, item in (path.partition(".") for path in library.attributes[attribute].sources)
        if name in catalog.resources
    }
    return WGS84 if units == {WGS84} else CGCS2000


def placed(catalog: Catalog, library: Library) -> Placed:
    """The query that places a library.

    Raises:
        ValueError: the library has no place in space.
    """
    space = library.space
    if space is None or library.kind == "person" or not library.public:
        raise ValueError(f"{library.library}: 没有空间位置 / is not placed in space")
    views = {"lib": library_table(library.library)}
    shown = public_attributes(library)
    columns = ", ".join(f'{_shown_sql(name, attribute)} AS "{name}"' for name, attribute in shown.items())
    points, views_of_points = _points(catalog)
    if space.at is not None:
        joined, source = _registered(space.at), REGISTERED
        views |= STANDING_VIEWS
    elif space.area is not None:
        joined, source = _of_area(catalog, space.area), REPRESENTATIVE
        views |= _addresses(catalog)[1]
    else:
        joined, source = "LEFT JOIN points w ON w.subject_id = lib.subject_id", OWN
    place = {REGISTERED: "n.place", REPRESENTATIVE: "lib.subject_id", OWN: "lib.subject_id"}[source]
    count = "w.addresses" if source == REPRESENTATIVE else "CAST(NULL AS BIGINT)"
    since, until = (f'lib."{day}"' if day else "CAST(NULL AS DATE)" for day in (space.since, space.until))
    sql = (
        f"WITH points AS ({points}) SELECT * FROM (SELECT {_feature(library)} AS _feature, lib.subject_id AS _subject,"
        f" {place} AS _place, w.x AS _x, w.y AS _y, CASE WHEN w.x IS NOT NULL THEN '{source}' END AS _point_from,"
        f" {count} AS _addresses, {since} AS _since, {until} AS _until, {columns} FROM lib {joined})"
        " WHERE {scope} ORDER BY _feature"
    )
    return Placed(library, space, tuple(shown), sql, views | views_of_points)


def _shown_sql(name: str, attribute: Attribute) -> str:
    column, mask = f'lib."{name}"', default_mask(attribute)
    if mask == "none" and element_of(attribute) not in FREE_TEXT:
        return column
    text = canonical_sql(column, item_type(attribute))
    return mask_sql(scrubbed_sql(text) if element_of(attribute) in FREE_TEXT else text, mask)


def _feature(library: Library) -> str:
    """The id of a feature: the subject's, with a hash of the instance where a subject has several."""
    if not library.each:
        return "lib.subject_id"
    told = ", '|', ".join(canonical_sql(f'lib."{name}"', item_type(library.attributes[name])) for name in library.each)
    return f"concat(lib.subject_id, '-', substring(md5(concat({told})), 1, 10))"


def _with_points(catalog: Catalog) -> list[Library]:
    return [one for one in placed_libraries(catalog) if one.space and one.space.point]


def _points(catalog: Catalog) -> tuple[str, dict[str, str]]:
    """SELECT of subject_id, x, y of every place with coordinates; the library declared first wins."""
    found, views = [], {}
    for number, library in enumerate(_with_points(catalog)):
        longitude, latitude = library.space.point  # type: ignore[union-attr, misc]
        view = f"points_{view_name(library.library)}"
        views[view] = library_table(library.library)
        found.append(
            f'SELECT subject_id, CAST("{longitude}" AS DOUBLE) AS x, CAST("{latitude}" AS DOUBLE) AS y,'
            f' {number} AS number FROM {view} WHERE "{longitude}" IS NOT NULL AND "{latitude}" IS NOT NULL'
        )
    nothing = (
        "SELECT CAST(NULL AS VARCHAR) AS subject_id, CAST(NULL AS DOUBLE) AS x, CAST(NULL AS DOUBLE) AS y, 0 AS number"
    )
    union = " UNION ALL ".join(found) or f"{nothing} WHERE FALSE"
    return (
        f"SELECT subject_id, min_by(x, number) AS x, min_by(y, number) AS y FROM ({union}) GROUP BY subject_id",
        views,
    )


def standing_sql(role: str) -> str:
    """SELECT of subject_id and place: the place that the register rows of each organisation name in a role.

    An address within a building stands where the house does: where the whole address is no registered place, what
    stands before its first house number is looked up. Of several rows the last by its id counts.
    """
    house = r"concat(regexp_extract(m.address_key, '^.*?[0-9]+号'), '|', coalesce(m.area, ''))"
    return (
        "SELECT o.subject_id, max_by(coalesce(e.subject_id, h.subject_id), m.record_id) AS place"
        " FROM mentions m JOIN links o ON o.record_id = m.record_id"
        " LEFT JOIN identifiers e ON e.kind = 'place' AND e.value = concat(m.address_key, '|', coalesce(m.area, ''))"
        f" LEFT JOIN identifiers h ON h.kind = 'place' AND h.value = {house}"
        f" WHERE m.kind = 'place' AND m.role = '{role}' AND m.current AND m.address_key IS NOT NULL"
        " AND o.kind = 'organisation' AND o.principal AND o.current"
        " AND coalesce(e.subject_id, h.subject_id) IS NOT NULL GROUP BY o.subject_id"
    )


STANDING_VIEWS = {name: name for name in ("mentions", "links", "identifiers")}
"""What ``standing_sql`` reads."""


def _registered(role: str) -> str:
    # 92 is the mark of an individual business (GB 32100: registered by market supervision, kind 2).
    coded = (
        "SELECT subject_id FROM identifiers WHERE kind = 'uscc' AND current"
        " GROUP BY subject_id HAVING NOT bool_or(left(value, 2) = '92')"
    )
    return (
        f"JOIN ({coded}) k ON k.subject_id = lib.subject_id LEFT JOIN ({standing_sql(role)}) n"
        " ON n.subject_id = lib.subject_id LEFT JOIN points w ON w.subject_id = n.place"
    )


def _addresses(catalog: Catalog) -> tuple[str, dict[str, str]]:
    """SELECT of area, x and y of every place that has both."""
    found, views = [], {}
    for library in _with_points(catalog):
        area = next((name for name, one in library.attributes.items() if element_of(one) == "area"), None)
        if area is not None:
            view = f"areas_{view_name(library.library)}"
            views[view] = library_table(library.library)
            found.append(
                f'SELECT a."{area}" AS area, w.x, w.y FROM {view} a JOIN points w ON w.subject_id = a.subject_id'
            )
    nothing = "SELECT CAST(NULL AS VARCHAR) AS area, CAST(NULL AS DOUBLE) AS x, CAST(NULL AS DOUBLE) AS y WHERE FALSE"
    return " UNION ALL ".join(found) or nothing, views


def _of_area(catalog: Catalog, code: str) -> str:
    """The mean of the addresses in each area: of its code, of its counties, or of the counties of its cities."""
    levels = {
        "area": "area IS NOT NULL",
        "concat(left(area, 4), '00')": "right(area, 2) <> '00'",
        "concat(left(area, 2), '0000')": "right(area, 4) <> '0000'",
    }
    sums = " UNION ALL ".join(
        f"SELECT {area} AS area, sum(x) AS x, sum(y) AS y, count(*) AS n FROM addresses WHERE {below} GROUP BY {area}"
        for area, below in levels.items()
    )
    return (
        f"LEFT JOIN (WITH addresses AS ({_addresses(catalog)[0]}) SELECT area, round(sum(x) / sum(n), 6) AS x,"
        f" round(sum(y) / sum(n), 6) AS y, CAST(sum(n) AS BIGINT) AS addresses FROM ({sums}) GROUP BY area) w"
        f' ON w.area = lib."{code}"'
    )
