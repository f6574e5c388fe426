"""Listings: what a decision made of a candidate. Rows are written by ``rules.actions`` only."""

from __future__ import annotations

import builtins
from typing import ClassVar

from django.db import models


class Listing(models.Model):
    """Membership of one subject in one list on one ground, from proposal to release.

    ``candidate_id`` ties it to the candidate the rule found, so the same finding is never entered twice. The terms
    that were in force when it was written are kept as dates; a later change of law does not move them.
    """

    class State(models.TextChoices):
        """Where the listing stands."""

        PROPOSED = "proposed", "拟列入"
        LISTED = "listed", "已列入"
        RELEASED = "released", "已移出"
        DECLINED = "declined", "不予列入"

    candidate_id = models.CharField(max_length=64, unique=True)
    list = models.CharField(max_length=63, db_index=True)
    ground = models.CharField(max_length=63)
    subject_id = models.CharField(max_length=32, db_index=True)
    since = models.DateField(help_text="the day from which the ground holds")
    # The field `list` above hides the builtin here.
    record_ids = models.JSONField(default=builtins.list, help_text="the records the rule found it on")
    rule_version = models.CharField(max_length=64)
    waits_for = models.JSONField(
        default=builtins.list,
        help_text="records that may be the subject's own and, while they wait for review, keep it from being entered by itself",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED, db_index=True)
    found_on = models.DateField(help_text="business day on which the rule found it")
    enter_due_on = models.DateField(null=True, help_text="legal term for entering it")
    entered_on = models.DateField(null=True)
    entered_by = models.CharField(max_length=150, blank=True)
    entry_reason = models.TextField(blank=True)
    ends_on = models.DateField(null=True, help_text="last day of the listing where the law sets a term")
    ground_gone_on = models.DateField(null=True, help_text="business day on which the rule no longer found it")
    release_due_on = models.DateField(null=True, help_text="legal term for deciding the release")
    released_on = models.DateField(null=True)
    released_by = models.CharField(max_length=150, blank=True)
    release_reason = models.TextField(blank=True)

    class Meta:
        """Newest first; the two ways it is looked up have an index."""

        ordering: ClassVar = ["-since", "id"]
        indexes: ClassVar = [models.Index(fields=["list", "state", "subject_id"], name="listing_by_list")]

    def __str__(self) -> str:
        return f"{self.list}/{self.ground} {self.subject_id} {self.state}"
