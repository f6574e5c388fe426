"""The log proves itself: every kind of tampering is found, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import F

from shutong.audit import log, reads
from shutong.audit.chain import START, ActorValues, Record, link
from shutong.audit.departures import departures_of, note_departure, records_of
from shutong.audit.models import Chain, Checkpoint, Departure, DepartureRecord, Entry, Segment
from shutong.audit.sealing import CHECKPOINTS, BrokenLogError, seal
from shutong.audit.verification import Report, verify
from shutong.engine.home import Home

pytestmark = pytest.mark.django_db(transaction=True)

ACTOR = ActorValues("u1", "tax", ("steward",))


def write(count: int = 1) -> None:
    for number in range(count):
        with transaction.atomic():
            log.append(Record("area.verb", "done", ACTOR, objects=(f"x{number}",)))


def read(count: int = 1) -> None:
    for number in range(count):
        reads.note(Record("area.look", "read", ACTOR, objects=(f"x{number}",)))


def segment_file(home: Home) -> Path:
    [path] = (home.path / "audit").glob("*.log")
    return path


@pytest.fixture
def filled(home: Home) -> Home:
    """A home whose log holds five writes, five reads and a departure, sealed; and two of each after that."""
    write(5)
    read(5)
    note_departure(actor=ACTOR, channel="download", receiver="tax", records=["r1", "r2"], resource="penalty")
    assert seal(home) is not None
    write(2)
    read(2)
    return home


def test_an_untouched_log_is_in_order(filled: Home) -> None:
    report = verify(filled)
    assert report.faults == []
    assert (report.entries, report.segments, report.checkpoints, report.departures) == (15, 1, 1, 1)
    assert report.unsealed == 4
    assert seal(filled) is not None
    assert verify(filled).unsealed == 0
    assert seal(filled) is None


def test_an_empty_log_is_in_order(home: Home) -> None:
    assert verify(home).ok


def change_body(home: Home) -> None:
    Entry.objects.filter(position=3).update(body=Entry.objects.get(position=3).body.replace("x2", "x9"))


def change_column(home: Home) -> None:
    Entry.objects.filter(position=3).update(actor="u2")


def change_and_rechain(home: Home) -> None:
    """What somebody with the whole database can do: change an entry and compute every later hash again."""
    head = START
    for entry in Entry.objects.order_by("position"):
        if entry.position == 3:
            entry.body = entry.body.replace("x2", "x9")
        head = entry.hash = link(head, entry.body)
        entry.save()
    Chain.objects.update(head=head)


def remove_middle(home: Home) -> None:
    Entry.objects.filter(position=4).delete()


def remove_middle_and_close_up(home: Home) -> None:
    Entry.objects.filter(position=4).delete()
    for entry in Entry.objects.filter(position__gt=4).order_by("position"):
        Entry.objects.filter(pk=entry.pk).update(position=F("position") - 1)
    Chain.objects.update(position=F("position") - 1)


def swap(home: Home) -> None:
    Entry.objects.filter(position=2).update(position=1000)
    Entry.objects.filter(position=3).update(position=2)
    Entry.objects.filter(position=1000).update(position=3)


def remove_sealed_end(home: Home) -> None:
    """Back to before the checkpoint, head and all."""
    Entry.objects.filter(position__gt=4).delete()
    Chain.objects.update(position=4, head=Entry.objects.get(position=4).hash)


def remove_open_end(home: Home) -> None:
    Entry.objects.filter(position=8).delete()


def drop_checkpoint(home: Home) -> None:
    Checkpoint.objects.all().delete()


def forge_checkpoint(home: Home) -> None:
    row = Checkpoint.objects.get()
    Checkpoint.objects.update(text=row.text.replace('"number":1', '"number":2'))


def edit_line(home: Home) -> None:
    path = segment_file(home)
    path.write_text(path.read_text("utf-8").replace("x1", "x9"), "utf-8")


def drop_line(home: Home) -> None:
    path = segment_file(home)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:2] + lines[3:]), "utf-8")


def swap_lines(home: Home) -> None:
    path = segment_file(home)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    lines[1], lines[2] = lines[2], lines[1]
    path.write_text("".join(lines), "utf-8")


def cut_file(home: Home) -> None:
    path = segment_file(home)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:3]), "utf-8")


def remove_file(home: Home) -> None:
    segment_file(home).unlink()


def remove_file_and_row(home: Home) -> None:
    segment_file(home).unlink()
    Segment.objects.all().delete()


def garble_file(home: Home) -> None:
    segment_file(home).write_bytes(b"\xff\xfe nothing\n" * 3)


def add_file(home: Home) -> None:
    """An invented read that would put the blame on somebody, dated before the checkpoint."""
    body = segment_file(home).read_text("utf-8").splitlines()[0].split(" ", 1)[1].replace("u1", "u7")
    body = body.replace(segment_file(home).stem, "invented")
    body = re.sub('"at":"....', '"at":"2020', body)
    (home.path / "audit" / "invented.log").write_text(f"{link(START, body)} {body}\n", "utf-8")


def change_departure(home: Home) -> None:
    Departure.objects.update(receiver="police")


def remove_departure(home: Home) -> None:
    Departure.objects.all().delete()


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (change_body, "changed"),
        (change_column, "changed"),
        (change_and_rechain, "changed"),
        (remove_middle, "removed"),
        (remove_middle_and_close_up, "changed"),
        (swap, "changed"),
        (remove_sealed_end, "removed"),
        (remove_open_end, "removed"),
        (drop_checkpoint, "removed"),
        (forge_checkpoint, "unsigned"),
        (edit_line, "changed"),
        (drop_line, "removed"),
        (swap_lines, "changed"),
        (cut_file, "removed"),
        (remove_file, "missing-segment"),
        (remove_file_and_row, "missing-segment"),
        (garble_file, "changed"),
        (add_file, "added"),
        (change_departure, "departure"),
        (remove_departure, "departure"),
    ],
)
def test_tampering_is_found(filled: Home, tamper: Callable[[Home], None], code: str) -> None:
    tamper(filled)
    report: Report = verify(filled)
    assert code in {fault.code for fault in report.faults}


@pytest.mark.parametrize("tamper", [remove_open_end, cut_file, add_file])
def test_a_broken_log_is_not_sealed(filled: Home, tamper: Callable[[Home], None]) -> None:
    tamper(filled)
    if tamper is cut_file:
        # The end that was sealed is gone; what was written since then does not continue it.
        with segment_file(filled).open("a") as file:
            file.write(f"{'0' * 64} " + "{}" * 2000 + "\n")
    with pytest.raises(BrokenLogError):
        seal(filled)


def test_a_log_set_back_as_a_whole_is_found_by_a_kept_checkpoint(filled: Home) -> None:
    write()
    kept = seal(filled)
    assert kept is not None
    kept_text = kept.text
    # Everything since the first checkpoint is taken back: entries, head, the checkpoint and its copy.
    kept.delete()
    path = filled.path / "audit" / CHECKPOINTS
    path.write_text(path.read_text("utf-8").splitlines(keepends=True)[0], "utf-8")
    assert verify(filled).ok
    assert [fault.code for fault in verify(filled, anchor=kept_text).faults] == ["removed"]


def test_a_line_that_a_kill_cut_is_no_fault(filled: Home) -> None:
    with segment_file(filled).open("a") as file:
        file.write("0123456789 {half a li")
    assert verify(filled).ok


@pytest.mark.parametrize("begun", ["", "0123456789 {half a li"])
def test_a_file_that_is_just_being_opened_is_left_for_the_next_checkpoint(filled: Home, begun: str) -> None:
    (filled.path / "audit" / "20260101T000000-1-00000000.log").write_text(begun, "utf-8")
    assert seal(filled) is not None
    assert verify(filled).ok


def test_an_entry_needs_the_transaction_of_its_write(home: Home) -> None:
    with pytest.raises(log.OutsideTransactionError):
        log.append(Record("area.verb", "done", ACTOR))


def test_a_departure_is_found_from_a_record(home: Home) -> None:
    small = note_departure(actor=ACTOR, channel="api", receiver="tax", records=["r1", "r2"], resource="penalty")
    many = [f"r{number}" for number in range(5000)]
    large = note_departure(actor=ACTOR, channel="batch", receiver="police", records=many, resource="penalty")
    bulk = note_departure(
        actor=ACTOR, channel="stream", receiver="bank", records=None, count=9, resource="permit", selection={"seq": 4}
    )
    assert DepartureRecord.objects.count() == 2
    assert [one.pk for one in departures_of(["r2"], "penalty")] == [small.pk, large.pk]
    assert [one.pk for one in departures_of(["r4999"], "penalty")] == [large.pk]
    assert [one.pk for one in departures_of(["r1"], "permit")] == [small.pk, bulk.pk]
    assert records_of(large) == sorted(many)
    assert verify(home).ok


def test_a_departure_says_what_left() -> None:
    with pytest.raises(ValueError, match="record ids"):
        note_departure(actor=ACTOR, channel="stream", receiver="bank", records=None)
