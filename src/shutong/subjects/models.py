"""What people decide about identification: cases that wait for them, and their decisions, which are inputs of the way."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Decision(models.Model):
    """One decision on a case, for good: another one undoes it, nothing changes it. The primary key is its position."""

    class Verb(models.TextChoices):
        """What was decided."""

        SAME = "same", "是同一主体"
        DIFFERENT = "different", "不是同一主体"
        UNDO = "undo", "撤销"

    decision_id = models.CharField(max_length=32, unique=True)
    verb = models.CharField(max_length=9, choices=Verb.choices)
    case_key = models.CharField(max_length=32, db_index=True)
    subject_id = models.CharField(max_length=20)
    undoes = models.CharField(max_length=32, blank=True, help_text="the decision that this one undoes")
    actor = models.CharField(max_length=64, help_text="id of the account")
    made_on = models.DateField(help_text="business day")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first; a decision is undone once."""

        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["undoes"], condition=~models.Q(undoes=""), name="undone_once")
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.case_key} {self.subject_id}"


class Case(models.Model):
    """Rows that say the same of an organisation and that a person has to place, as the last run found them."""

    class State(models.TextChoices):
        """Whether somebody still has to decide."""

        OPEN = "open", "待核对"
        DECIDED = "decided", "已核对"
        GONE = "gone", "已无须核对"

    case_key = models.CharField(max_length=32, primary_key=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=12, help_text="review or conflict")
    candidate = models.CharField(max_length=20, help_text="the subject it is compared with")
    runner_up = models.CharField(max_length=20, blank=True)
    weight = models.IntegerField(default=0, help_text="hundredths of a bit")
    evidence = models.JSONField(default=dict)
    said = models.JSONField(default=dict, help_text="name, area, legal_rep, address and codes that the rows say")
    record_id = models.CharField(max_length=40, help_text="one of the rows")
    resources = models.JSONField(default=list)
    records = models.IntegerField(help_text="how many rows say so")
    opened_on = models.DateField(help_text="business day of the run that found it")

    class Meta:
        """The likeliest first."""

        ordering: ClassVar = ["-weight", "case_key"]
        indexes: ClassVar = [models.Index(fields=["state", "-weight", "case_key"], name="case_by_state")]

    def __str__(self) -> str:
        return f"{self.case_key} {self.state}"
