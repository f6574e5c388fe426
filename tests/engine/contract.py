"""What every engine promises. A test class of an engine inherits this and gives the fixture ``engine``."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from shutong.engine import sqltext
from shutong.engine.engine import Engine
from shutong.engine.errors import ConflictError, LakeError, StageError
from shutong.engine.lake import StagedRun
from shutong.engine.stage import ArrowStep, Read, SqlStep, Stage, Step, Write

RECORDS = pa.schema([("record_id", pa.string()), ("subject_id", pa.string()), ("fine", pa.int64())])
DAY = dt.date(2026, 1, 5)


def records(*rows: tuple[str, str | None, int]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(RECORDS.names, row, strict=True)) for row in rows], schema=RECORDS)


def stage(*steps: Step, write: Write | None = None, reads: tuple[Read, ...] | None = None) -> Stage:
    last = steps[-1].name
    reads = reads or (Read("penalty", "penalty", RECORDS, scope="subject_id"),)
    return Stage("stage", reads, steps, (write or Write("sums", last, key="subject_id"),))


SUMS = stage(SqlStep("sums", "SELECT subject_id, sum(fine) AS fines FROM penalty GROUP BY subject_id"))


def deliver(engine: Engine, run_id: str, *rows: tuple[str, str | None, int]) -> None:
    with engine.run(run_id, "collect", DAY) as run:
        run.stage_table("penalty", records(*rows))
        run.commit()


def compute(engine: Engine, run_id: str, what: Stage, scope: list[str] | None = None, **params: Any) -> dict[str, int]:
    with engine.run(run_id, "daily", DAY) as run:
        keys = None if scope is None else pa.table({"key": pa.array(scope, pa.string())})
        rows = run.execute(what, params, scope=keys)
        run.commit()
    return rows


def rows_of(engine: Engine, table: str, at: int | None = None) -> list[dict[str, Any]]:
    found = engine.query(f"SELECT * FROM {table} ORDER BY ALL", {table: table}, at=at).to_pylist()
    return found


def sums_of(engine: Engine) -> dict[str, int]:
    return {row["subject_id"]: row["fines"] for row in rows_of(engine, "sums")}


def data_files(engine: Engine) -> set[str]:
    found = (one.path for one in engine.lake.storage.listed() if one.path.endswith(".parquet"))
    return {path for path in found if "manifest" not in path.split("/")}


class EngineContract:
    """The promises, one test each."""

    def test_a_full_run_replaces(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1), ("r2", "b", 2))
        assert compute(engine, "d-1", SUMS) == {"sums": 2}
        deliver(engine, "b-2", ("r3", "c", 4))
        assert compute(engine, "d-2", SUMS) == {"sums": 3}
        assert sums_of(engine) == {"a": 1, "b": 2, "c": 4}

    def test_stages_of_one_moment_never_read_each_others_steps(self, engine: Engine) -> None:
        """Quick stages follow within one second; what a step stores must not be taken for the step of another stage."""
        deliver(engine, "b-1", ("r1", "a", 1), ("r2", "b", 2))
        with engine.run("d-1", "daily", DAY) as run:
            for number in range(6):
                step = SqlStep(
                    "kept", f"SELECT subject_id AS s{number}, fine + {number} AS f{number} FROM penalty", True
                )
                more = SqlStep("more", f"SELECT s{number}, f{number} FROM kept ORDER BY s{number}")
                run.execute(stage(step, more, write=Write(f"sums{number}", "more")))
            run.commit()
        for number in range(6):
            expected = [{f"s{number}": "a", f"f{number}": 1 + number}, {f"s{number}": "b", f"f{number}": 2 + number}]
            assert rows_of(engine, f"sums{number}") == expected

    def test_every_type_comes_back_as_it_went_in(self, engine: Engine) -> None:
        reason = pa.struct([("code", pa.string()), ("item", pa.string())])
        schema = pa.schema(
            [
                ("text", pa.string()),
                ("money", pa.decimal128(18, 2)),
                ("day", pa.date32()),
                ("moment", pa.timestamp("us", "UTC")),
                ("flag", pa.bool_()),
                ("count", pa.int64()),
                ("small", pa.int32()),
                ("share", pa.float64()),
                ("sealed", pa.binary()),
                ("flags", pa.list_(pa.string())),
                ("reasons", pa.list_(reason)),
            ]
        )
        row = {
            "text": "市场主体　“''”",
            "money": Decimal("-12345678901234.56"),
            "day": dt.date(1949, 10, 1),
            "moment": dt.datetime(2026, 1, 1, 23, 59, 59, 123456, tzinfo=dt.UTC),
            "flag": True,
            "count": 2**62,
            "small": -5,
            "share": 0.1,
            "sealed": b"\x00\xff",
            "flags": ["bad:uscc", None],
            "reasons": [{"code": "c", "item": None}],
        }
        empty = dict.fromkeys(schema.names)
        table = pa.Table.from_pylist([row, empty], schema=schema)
        with engine.run("t-1") as run:
            run.stage_table("types", table)
            run.commit()
        copy = Stage(
            "copy",
            (Read("types", "types", schema),),
            (SqlStep("all", "SELECT * FROM types"),),
            (Write("copies", "all"),),
        )
        compute(engine, "t-2", copy)
        found = engine.query("SELECT * FROM copies ORDER BY text", {"copies": "copies"})
        assert found.to_pylist() == [row, empty]
        assert [sqltext.type_name(kind) for kind in found.schema.types] == [
            sqltext.type_name(kind) for kind in schema.types
        ]
        assert found.schema.field("moment").type == pa.timestamp("us", "UTC")

    def test_a_missing_table_is_empty_and_a_missing_column_null(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        newer = RECORDS.append(pa.field("category", pa.string()))
        with engine.run("b-2") as run:
            run.stage_table("penalty", records(("r2", "b", 2)).append_column("category", pa.array(["x"])))
            run.commit()
        reads = (Read("penalty", "penalty", newer), Read("permit", "permit", RECORDS))
        step = SqlStep("both", "SELECT * FROM penalty UNION ALL SELECT *, NULL FROM permit")
        compute(engine, "d-1", stage(step, reads=reads, write=Write("everything", "both")))
        assert [row["category"] for row in rows_of(engine, "everything")] == [None, "x"]

    def test_an_older_type_is_read_as_the_declared_one(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        wider = RECORDS.set(2, pa.field("fine", pa.decimal128(18, 2)))
        with engine.run("b-2") as run:
            rows = [{"record_id": "r2", "subject_id": "b", "fine": Decimal("2.50")}]
            run.stage_table("penalty", pa.Table.from_pylist(rows, schema=wider))
            run.commit()
        reads = (Read("penalty", "penalty", wider),)
        compute(engine, "d-1", stage(SqlStep("all", "SELECT sum(fine) AS total FROM penalty"), reads=reads))
        assert rows_of(engine, "sums") == [{"total": Decimal("3.50")}]

    def test_an_undeclared_table_that_does_not_exist_is_an_error(self, engine: Engine) -> None:
        read = Read("nowhere", "nowhere", pa.schema([]))
        with pytest.raises(StageError, match="nowhere"):
            compute(engine, "d-1", stage(SqlStep("a", "SELECT 1 AS x"), reads=(read,)))
        with pytest.raises(LakeError, match="nowhere"):
            engine.query("SELECT 1 FROM nowhere", {"nowhere": "nowhere"})

    def test_increments_equal_a_rebuild(self, engine: Engine) -> None:
        deliver(engine, "b-1", *((f"r{n}", f"s{n % 7}", n) for n in range(50)))
        compute(engine, "d-1", SUMS)
        for n in range(5):
            changed = [f"s{n}", f"s{n + 3}"]
            deliver(engine, f"b-{n + 2}", *((f"q{n}{key}", key, 1000 + n) for key in changed))
            compute(engine, f"d-{n + 2}", SUMS, scope=changed)
        by_parts = sums_of(engine)
        compute(engine, "d-99", SUMS)
        assert by_parts == sums_of(engine)
        assert len(engine.lake.table("sums").segments) == 1

    def test_a_patch_removes_keys_without_rows(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1), ("r2", "b", 2))
        compute(engine, "d-1", SUMS)
        positive = stage(
            SqlStep("sums", "SELECT subject_id, sum(fine) AS fines FROM penalty WHERE fine > 1 GROUP BY subject_id")
        )
        assert compute(engine, "d-2", positive, scope=["a"]) == {"sums": 0}
        assert sums_of(engine) == {"b": 2}

    def test_rows_appended_after_a_patch_count(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        with engine.run("p-1") as run:
            run.stage_table("penalty", records(("r2", "a", 5)), "patch", key="subject_id", keys=pa.table({"k": ["a"]}))
            run.commit()
        deliver(engine, "b-2", ("r3", "a", 7))
        assert [row["record_id"] for row in rows_of(engine, "penalty")] == ["r2", "r3"]

    def test_a_scope_narrows_reads_used_often(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1), ("r2", "b", 2), ("r3", None, 4))
        both = SqlStep(
            "sums",
            "SELECT subject_id, max(fine) AS fines FROM (SELECT * FROM penalty UNION ALL SELECT * FROM penalty) "
            "GROUP BY subject_id",
        )
        assert compute(engine, "d-1", stage(both), scope=["b", "b", "z"]) == {"sums": 1}
        assert sums_of(engine) == {"b": 2}

    def test_a_scope_may_be_a_file_or_a_table(self, engine: Engine, tmp_path: Path) -> None:
        deliver(engine, "b-1", ("r1", "a", 1), ("r2", "b", 2))
        with engine.run("d-1") as run:
            run.stage_table("changed", pa.table({"n": [1], "subject_id": ["b"]}), "replace")
            run.execute(SUMS, scope="changed", scope_key="subject_id")
            run.stage_table("changed", pa.table({"n": [1], "subject_id": ["a"]}), "replace")
            run.execute(SUMS, scope="changed", scope_key="subject_id")
            run.commit()
        assert sums_of(engine) == {"a": 1, "b": 2}

    def test_an_empty_scope_changes_nothing(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        compute(engine, "d-1", SUMS)
        assert compute(engine, "d-2", SUMS, scope=[]) == {"sums": 0}
        assert sums_of(engine) == {"a": 1}

    def test_rows_outside_the_scope_are_refused(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1), ("r2", "b", 2))
        whole = stage(
            SqlStep("sums", "SELECT subject_id, fine AS fines FROM penalty"),
            reads=(Read("penalty", "penalty", RECORDS),),
        )
        with pytest.raises(StageError, match="outside the scope"):
            compute(engine, "d-1", whole, scope=["a"])
        keyless = stage(SqlStep("sums", "SELECT * FROM penalty"), write=Write("sums", "sums"))
        with pytest.raises(StageError, match="declares no key"):
            compute(engine, "d-2", keyless, scope=["a"])
        assert engine.lake.tables() == ["penalty"]

    def test_later_stages_see_what_earlier_ones_staged(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1), ("r2", "a", 2))
        fines = pa.schema([("subject_id", pa.string()), ("fines", pa.int64())])
        second = Stage(
            "second",
            (Read("sums", "sums", fines),),
            (SqlStep("double", "SELECT subject_id, 2 * fines AS fines FROM sums"),),
            (Write("doubles", "double"),),
        )
        with engine.run("d-1") as run:
            run.execute(SUMS)
            run.execute(second)
            assert run.peek("SELECT fines FROM d", {"d": "doubles"}).to_pylist() == [{"fines": 6}]
            assert [report.name for report in run.reports] == ["stage", "second"]
            assert run.reports[0].rows_in == 2
            assert dict(run.reports[0].rows_out) == {"sums": 1}
            assert run.reports[0].peak_bytes > 0
            assert engine.lake.tables() == ["penalty"]
            run.commit()
        assert engine.lake.tables() == ["doubles", "penalty", "sums"]

    def test_leaving_without_a_commit_leaves_nothing(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        before = data_files(engine)
        with engine.run("d-1") as run:
            run.execute(SUMS)
            run.stage_table("penalty", records(("r2", "b", 2)))
            assert data_files(engine) > before
        with pytest.raises(ZeroDivisionError), engine.run("d-2") as run:
            run.execute(SUMS)
            raise ZeroDivisionError
        assert data_files(engine) == before
        assert engine.lake.tables() == ["penalty"]

    def test_a_failed_stage_stages_none_of_its_tables(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        failing = Stage(
            "failing",
            SUMS.reads,
            (*SUMS.steps, SqlStep("bad", "SELECT CAST(subject_id AS BIGINT) AS x FROM penalty")),
            (Write("sums", "sums"), Write("other", "bad")),
        )
        with engine.run("d-1") as run:
            with pytest.raises(StageError, match="stage failing, bad"):
                run.execute(failing)
            run.stage_table("noted", pa.table({"x": [1]}))
            run.commit()
        assert engine.lake.tables() == ["noted", "penalty"]

    def test_the_same_run_twice_is_one_run(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        files = data_files(engine)
        deliver(engine, "b-1", ("r1", "a", 1))
        assert engine.lake.last == 1
        assert data_files(engine) == files
        assert len(rows_of(engine, "penalty")) == 1

    def test_a_run_reads_one_moment_and_a_stale_result_is_refused(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        with engine.run("d-1") as slow:
            deliver(engine, "b-2", ("r2", "a", 10))
            slow.execute(SUMS)
            assert slow.peek("SELECT fines FROM s", {"s": "sums"}).to_pylist() == [{"fines": 1}]
            compute(engine, "d-2", SUMS)
            with pytest.raises(ConflictError, match="d-2"):
                slow.commit()
        assert sums_of(engine) == {"a": 11}
        with engine.run("b-3") as first, engine.run("b-4") as second:
            first.stage_table("penalty", records(("r3", "b", 1)))
            second.stage_table("penalty", records(("r4", "b", 1)))
            second.commit()
            first.commit()
        assert len(rows_of(engine, "penalty")) == 4

    def test_parameters_are_values(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "it's :day", 1))
        step = SqlStep(
            "a",
            "SELECT CAST(:business_day AS DATE) AS day, :least AS least, ':least' AS text, subject_id = :who AS same "
            "FROM penalty WHERE fine::BIGINT >= :least",
        )
        compute(engine, "d-1", stage(step, write=Write("answer", "a")), least=1, who="it's :day")
        assert rows_of(engine, "answer") == [{"day": DAY, "least": 1, "text": ":least", "same": True}]

    def test_arrow_steps(self, engine: Engine) -> None:
        deliver(engine, "b-1", *((f"r{n}", f"s{n}", n) for n in range(1000)))

        def double(batch: pa.RecordBatch) -> pa.RecordBatch:
            fines = pc.multiply(batch.column("fine"), 2)
            return pa.record_batch({"subject_id": batch.column("subject_id"), "fines": fines})

        schema = pa.schema([("subject_id", pa.string()), ("fines", pa.int64())])
        good = (ArrowStep("doubled", "penalty", double, schema), SqlStep("sums", "SELECT * FROM doubled"))
        compute(engine, "d-1", stage(*good))
        assert sums_of(engine) == {f"s{n}": 2 * n for n in range(1000)}
        other = pa.schema([("subject_id", pa.string()), ("fine", pa.int64())])
        with pytest.raises(StageError, match="returned columns"):
            compute(engine, "d-2", stage(ArrowStep("doubled", "penalty", double, other)))
        with pytest.raises(StageError, match="ZeroDivisionError"):
            compute(engine, "d-3", stage(ArrowStep("broken", "penalty", lambda batch: 1 // 0, schema)))

    def test_an_arrow_step_over_no_rows(self, engine: Engine) -> None:
        compute(engine, "d-1", stage(ArrowStep("same", "penalty", lambda batch: batch, RECORDS)))
        assert rows_of(engine, "sums") == []
        assert engine.lake.table("sums").schema.names == RECORDS.names

    def test_a_promised_schema_is_kept(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        promised = pa.schema([("total", pa.decimal128(18, 2)), ("subject_id", pa.string())])
        step = SqlStep("a", "SELECT subject_id, fine AS total FROM penalty")
        compute(engine, "d-1", stage(step, write=Write("promised", "a", schema=promised)))
        assert rows_of(engine, "promised") == [{"total": Decimal("1.00"), "subject_id": "a"}]
        wrong = SqlStep("a", "SELECT subject_id, fine AS sum FROM penalty")
        with pytest.raises(StageError, match="missing"):
            compute(engine, "d-2", stage(wrong, write=Write("promised", "a", schema=promised)))
        rounded = SqlStep("a", "SELECT fine * 1.5 AS total FROM penalty")
        whole = pa.schema([("total", pa.int64())])
        with pytest.raises(StageError, match="to_int"):
            compute(engine, "d-3", stage(rounded, write=Write("promised", "a", schema=whole)))

    def test_types_of_one_engine_only_are_stored_as_common_ones(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 2**40))
        step = SqlStep("a", "SELECT sum(fine) AS total, [sum(fine)] AS totals FROM penalty")
        compute(engine, "d-1", stage(step, write=Write("total", "a")))
        assert engine.lake.table("total").schema.field("total").type == pa.int64()
        assert rows_of(engine, "total") == [{"total": 2**40, "totals": [2**40]}]
        with pytest.raises(StageError, match="INTERVAL"):
            step = SqlStep("a", "SELECT INTERVAL 1 DAY AS x FROM penalty")
            compute(engine, "d-2", stage(step, write=Write("total", "a")))

    def test_names_in_a_stage_are_checked(self, engine: Engine) -> None:
        twice = stage(SqlStep("penalty", "SELECT 1 AS x"))
        with pytest.raises(StageError, match="twice"):
            compute(engine, "d-1", twice)
        unknown = stage(SqlStep("a", "SELECT 1 AS x"), write=Write("sums", "b"))
        with pytest.raises(StageError, match="unknown"):
            compute(engine, "d-1", unknown)

    def test_a_table_can_be_read_as_it_was(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        compute(engine, "d-1", SUMS)
        before = engine.lake.last
        deliver(engine, "b-2", ("r2", "a", 10))
        compute(engine, "d-2", SUMS, scope=["a"])
        assert rows_of(engine, "sums", before) == [{"subject_id": "a", "fines": 1}]
        assert sums_of(engine) == {"a": 11}

    def test_compaction_keeps_every_row(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1), ("r2", "b", 2))
        compute(engine, "d-1", SUMS)
        for n in range(10):
            deliver(engine, f"b-{n + 2}", (f"q{n}", "a", n))
        compute(engine, "d-2", SUMS, scope=["a"])
        for table in ("penalty", "sums"):
            before = rows_of(engine, table)
            identity = engine.lake.history(table)[-1].change.stage
            assert engine.compact(table) is not None
            assert rows_of(engine, table) == before
            assert len(engine.lake.table(table).files) == 1
            assert engine.lake.history(table)[-1].change.stage == identity
            assert engine.compact(table) is None

    def test_dropping_derived_tables(self, engine: Engine) -> None:
        deliver(engine, "b-1", ("r1", "a", 1))
        compute(engine, "d-1", SUMS)
        engine.lake.drop_derived(["sums", "never-was"], "x-1")
        assert engine.lake.tables() == ["penalty"]
        compute(engine, "d-2", SUMS)
        assert sums_of(engine) == {"a": 1}

    def test_a_stream_gives_batches_and_frees(self, engine: Engine) -> None:
        deliver(engine, "b-1", *((f"r{n}", "a", n) for n in range(3000)))
        with engine.stream("SELECT fine FROM p", {"p": "penalty"}, batch_rows=2048) as reader:
            sizes = [batch.num_rows for batch in reader]
        assert sum(sizes) == 3000
        assert len(sizes) > 1
        empty = engine.stream("SELECT fine FROM p WHERE fine < 0", {"p": "penalty"})
        assert empty.schema.names == ["fine"]
        assert empty.read_all().num_rows == 0
        with pytest.raises(StageError):
            engine.stream("SELECT nothing FROM p", {"p": "penalty"})

    def test_names_of_tables_and_runs_are_checked(self, engine: Engine) -> None:
        for name in ("../x", "A", "manifest", "a//b", "", "a/../b"):
            with pytest.raises(LakeError), engine.run("r-1") as run:
                run.stage_table(name, pa.table({"x": [1]}))
        for run_id in ("", "a/b", "../x", "A b"):
            with pytest.raises(LakeError), engine.run(run_id):
                pass
        with pytest.raises(LakeError):
            engine.lake.commit(StagedRun("../no", "x", (), 0))
