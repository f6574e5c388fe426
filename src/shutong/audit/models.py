"""The tables of the log that proves itself, and of what left the platform."""

from __future__ import annotations

from django.db import models


class Chain(models.Model):
    """The head of a chain kept in the database. Its row is the lock under which entries are appended."""

    name = models.CharField(max_length=40, primary_key=True)
    position = models.BigIntegerField(default=0)
    head = models.CharField(max_length=64)


class Entry(models.Model):
    """One entry of the write chain. ``body`` is the canonical text the hash covers; the other columns index it."""

    chain = models.CharField(max_length=40)
    position = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=100, db_index=True)
    outcome = models.CharField(max_length=10)
    actor = models.CharField(max_length=64, db_index=True)
    department = models.CharField(max_length=64, blank=True)
    body = models.TextField()
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("chain", "position")
        constraints = (models.UniqueConstraint(fields=("chain", "position"), name="audit_entry_position"),)


class Segment(models.Model):
    """A file of read entries that a process opened; a file that is gone is missed because its row is here."""

    name = models.CharField(max_length=80, primary_key=True)
    opened_at = models.DateTimeField()
    link = models.CharField(max_length=64)


class Checkpoint(models.Model):
    """A signed statement of all heads, bound to the checkpoint before."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    text = models.TextField()
    hash = models.CharField(max_length=64)


class Departure(models.Model):
    """Records that left the platform: to whom, by which channel, for what; so that a correction can follow them.

    ``records`` holds the ids (zlib over lines) where they are listed; ``selection`` says in every case how the set was
    chosen (resource, lake sequence, grant), so that the set of a bulk delivery can be computed again.
    """

    departure = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField(db_index=True)
    channel = models.CharField(max_length=40)
    receiver = models.CharField(max_length=100, db_index=True)
    purpose = models.CharField(max_length=200, blank=True)
    resource = models.CharField(max_length=64, blank=True, db_index=True)
    selection = models.TextField(blank=True)
    count = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    records = models.BinaryField(null=True)


class DepartureRecord(models.Model):
    """One record of a small departure, by id, for the look-up from a correction."""

    departure = models.ForeignKey(Departure, on_delete=models.CASCADE, related_name="record_rows")
    record = models.CharField(max_length=40, db_index=True)


class PageCount(models.Model):
    """How often a public page was seen on a day. Anonymous readers are counted, never chained."""

    day = models.DateField()
    page = models.CharField(max_length=80)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("day", "page"), name="audit_page_day"),)
