"""The tables of the ready answers: one declaration from which the DDL, the bulk load and the checks follow.

Ready answers are what screens and the JSON API read by key. They are derived from the lake and hold only what may be
public: graded items are masked before they are written here, sealed items never arrive, and persons have no row.
They can be dropped and rebuilt at will.

Dates are ISO text, JSON is text, booleans are 0 or 1, so the tables are the same on SQLite and PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

FORMAT = 5
"""Version of these tables; a file of another format is rebuilt, never migrated."""

Type = Literal["TEXT", "INTEGER", "REAL"]
_ARROW: Final[dict[Type, pa.DataType]] = {"TEXT": pa.string(), "INTEGER": pa.int64(), "REAL": pa.float64()}


@dataclass(frozen=True)
class Table:
    """One table of the ready answers.

    Args:
        name: the table's name in the database.
        columns: name and type, in the order of the bulk load.
        key: what no two rows share; empty for tables that are read by an index only.
        indexes: further indexes, each a tuple of column expressions.
        rare: columns that are NULL in nearly every row, indexed where they are not: an index of all rows would not be used.
        subject: whether rows belong to one subject (column ``subject_id``) and are replaced together with it.
    """

    name: str
    columns: tuple[tuple[str, Type], ...]
    key: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    rare: tuple[str, ...] = ()
    subject: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in load order."""
        return tuple(name for name, _ in self.columns)

    @property
    def arrow(self) -> pa.Schema:
        """The columns as Arrow types."""
        return pa.schema([(name, _ARROW[kind]) for name, kind in self.columns])

    def create_sql(self) -> str:
        """``CREATE TABLE`` for SQLite and PostgreSQL alike; the key comes after the load, see ``index_sql``."""
        return f"CREATE TABLE {self.name} ({', '.join(f'{name} {kind}' for name, kind in self.columns)})"

    def index_sql(self) -> list[str]:
        """``CREATE INDEX`` statements, to be run after the bulk load: sorting once is quicker than a million insertions."""
        key = [f"CREATE UNIQUE INDEX {self.name}_key ON {self.name} ({', '.join(self.key)})"] if self.key else []
        return (
            key
            + [
                f"CREATE INDEX {self.name}_{number} ON {self.name} ({', '.join(columns)})"
                for number, columns in enumerate(self.indexes, start=1)
            ]
            + [
                f"CREATE INDEX {self.name}_{column} ON {self.name} ({column}) WHERE {column} IS NOT NULL"
                for column in self.rare
            ]
        )

    def insert_sql(self) -> str:
        """``INSERT`` with one positional parameter per column."""
        marks = ", ".join("?" for _ in self.columns)
        return f"INSERT INTO {self.name} ({', '.join(self.names)}) VALUES ({marks})"


def _columns(text: str) -> tuple[tuple[str, Type], ...]:
    """Columns from ``name name:INTEGER …``; TEXT where no type is given."""
    result: list[tuple[str, Type]] = []
    for part in text.split():
        name, _, kind = part.partition(":")
        result.append((name, kind or "TEXT"))  # type: ignore[arg-type]
    return tuple(result)


META = Table("answer_meta", _columns("name value"), key=("name",))
"""business_day, built_at, run_id, format, and the totals of the home page."""

CATALOG = Table("answer_catalog", _columns("kind name position:INTEGER content"), key=("kind", "name"))
"""Public metadata of the declarations that the run read: departments, resources, libraries, lists, indicators."""

SUBJECT = Table(
    "answer_subject",
    _columns(
        "subject_id doc:INTEGER kind name name_key former_names uscc codes status area category industry "
        "established_on facts:INTEGER positive:INTEGER negative:INTEGER listings:INTEGER counts redirect_to"
    ),
    key=("subject_id",),
    indexes=(("doc",), ("area", "doc"), ("category", "doc")),
    rare=("redirect_to",),
)
"""One row per organisation. ``doc`` is its number in the name index: smaller is shown first (static rank)."""

IDENTIFIER = Table(
    "answer_identifier",
    _columns("subject_id kind value current:INTEGER valid_from"),
    indexes=(("value", "kind"), ("subject_id",)),
    subject=True,
)
"""Every code and normalised name (current and former) that leads to a subject."""

BIGRAM = Table("answer_bigram", _columns("bigram docs:INTEGER"), key=("bigram",))
"""In how many names a pair of characters occurs: the fuzzy search starts from the rarest."""

FACT = Table(
    "answer_fact",
    _columns(
        "fact_id subject_id kind resource on_date until_date weight record_id batch_id received_on shows "
        "publicity_due publicity_rule published_on flags"
    ),
    key=("fact_id",),
    indexes=(("subject_id", "on_date"), ("received_on", "on_date"), ("kind", "on_date"), ("publicity_due",)),
    subject=True,
)
"""Public facts only. ``shows`` is a JSON object of item name to shown (masked) value."""

SOURCE = Table(
    "answer_source",
    _columns("subject_id library instance record_id resource batch_id received_on said"),
    indexes=(("subject_id",),),
    subject=True,
)
"""What one record says of a subject in one public library; ``said`` is a JSON array of arrays, see ``SAID``.

A subject has dozens of values and they are read together: a row for each would be most of the file.
"""

SAID = ("attribute", "value", "rank", "chosen", "valid_from", "valid_to", "masked")
"""What stands in each inner array of ``answer_source.said``, which come in any order; ``chosen`` marks the value that counts.

``answer_source.instance`` says which licence or case of the subject a value is of, where a library keeps them apart.
"""

VALUE_VIEW = (
    "CREATE VIEW answer_value AS SELECT subject_id, library, instance, record_id, resource, batch_id, received_on, "
    + ", ".join(f"json_extract(one.value, '$[{place}]') AS {name}" for place, name in enumerate(SAID))
    + " FROM answer_source, json_each(answer_source.said) one"
)
"""Attributes of public libraries with every source's value, a row each."""

RECORD = Table(
    "answer_record",
    _columns(
        "record_id subject_id role resource batch_id row_no:INTEGER received_on items flags method score:INTEGER evidence "
        "current:INTEGER"
    ),
    key=("record_id",),
    indexes=(("subject_id",), ("batch_id",)),
    subject=True,
)
"""Accepted rows of open resources about organisations, masked. ``items`` is a JSON object in declared order.

``current`` is 0 for an earlier version that a value of the past still comes from.
"""

LISTING = Table(
    "answer_listing",
    _columns(
        "listing_id subject_id list ground since found_on enter_due_on entered_on ends_on ground_gone_on "
        "release_due_on state entry_reason record_ids rule_version"
    ),
    key=("listing_id",),
    indexes=(("subject_id",), ("list", "state", "since")),
    subject=True,
)
"""Listings in force (state ``listed``), copied from the state database so that public pages read one place."""

BATCH = Table(
    "answer_batch",
    _columns(
        "batch_id resource seq:INTEGER received_on received_at sha256 bytes:INTEGER declaration state rows:INTEGER "
        "accepted:INTEGER rejected:INTEGER flagged:INTEGER corrects"
    ),
    key=("batch_id",),
    indexes=(("resource", "received_on"),),
)
"""Public facts about deliveries: never a file name, a row or a reason with a value."""

STAT = Table(
    "answer_stat", _columns("stat dimension series value:REAL position:INTEGER"), indexes=(("stat", "position"),)
)
"""Pre-computed statistics: name, dimension (month, area, department, …), series, value."""

OBSERVATION = Table(
    "answer_observation",
    _columns("indicator area series period value:REAL record_ids records:INTEGER rule_version"),
    indexes=(("indicator", "period"),),
)
"""Observations of public indicators with the records they come from."""

EVENT = Table(
    "answer_event",
    _columns("position:INTEGER event subject_id other_id on_day record_id cause"),
    key=("position",),
    indexes=(("subject_id",), ("other_id",)),
)
"""What became of ids of organisations (``pipeline.events``): a link that was published leads to a page for good."""

FEATURE = Table(
    "answer_feature",
    _columns("collection feature_id subject_id place_id x:REAL y:REAL valid_from valid_to properties"),
    key=("collection", "feature_id"),
    indexes=(("collection", "x", "y", "valid_from", "valid_to", "feature_id"), ("subject_id",), ("place_id",)),
)
"""Public subjects of libraries that are placed in space (``libraries.space``): the features of OGC API - Features.

``collection`` is the library; ``x`` and ``y`` are longitude and latitude, NULL where no point is known; ``properties`` is
a JSON object. Never a person's home: ``libraries.space`` says who is placed.
"""

TABLES = (
    META, CATALOG, SUBJECT, IDENTIFIER, BIGRAM, FACT, SOURCE, RECORD, LISTING, BATCH, STAT, OBSERVATION, EVENT, FEATURE,
)  # fmt: skip
"""All tables, in load order. The name index ``answer_name`` is made beside them (see ``answers.names``)."""

BY_NAME = {table.name: table for table in TABLES}
