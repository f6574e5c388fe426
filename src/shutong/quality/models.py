"""What the area quality must remember: tickets to departments, row by row, until each row is settled."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Ticket(models.Model):
    """A question to a department: rows of its batch that were rejected, or figures that disagree with another source.

    It closes when every row is corrected, resolved or given up. Rows beyond ``quality.tickets.MOST_ROWS`` are not
    listed one by one: then the ticket is ``whole`` and closes with a correction that has no rejects.
    """

    class Kind(models.TextChoices):
        """What it is about."""

        REJECTS = "rejects", "退回数据更正"
        DISAGREEMENT = "disagreement", "数据不一致核实"

    class State(models.TextChoices):
        """Whether somebody still has to do something."""

        OPEN = "open", "待处理"
        CLOSED = "closed", "已办结"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    subject = models.CharField(
        max_length=130, help_text="the batch, the name of the verification, or library.attribute of compared sources"
    )
    resource = models.CharField(max_length=63, blank=True)
    title = models.CharField(max_length=200)
    department = models.CharField(max_length=63, db_index=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN, db_index=True)
    opened_on = models.DateField(help_text="business day")
    closed_on = models.DateField(null=True)
    rows = models.IntegerField(help_text="rows it was opened with")
    open_rows = models.IntegerField(help_text="rows not settled yet")
    whole = models.BooleanField(default=False)

    class Meta:
        """Open ones of a department first; one ticket per subject and department."""

        ordering: ClassVar = ["-opened_on", "-id"]
        indexes: ClassVar = [models.Index(fields=["department", "state"], name="ticket_by_department")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject", "department"], name="one_ticket_per_subject")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.department} {self.state}"


class TicketRow(models.Model):
    """One row of a ticket and how it was settled."""

    class State(models.TextChoices):
        """How it stands."""

        OPEN = "open", "待处理"
        CORRECTED = "corrected", "已更正"
        RESOLVED = "resolved", "已一致"
        GIVEN_UP = "given-up", "放弃更正"

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="lines")
    row_id = models.CharField(max_length=100, help_text="row id of a rejected row, or the key of a disagreement")
    reasons = models.TextField(blank=True, help_text="codes and items of the reasons, or the item that disagrees")
    left = models.CharField(max_length=100, blank=True)
    right = models.CharField(max_length=100, blank=True)
    records = models.JSONField(
        default=list,
        help_text="record ids a disagreement rests on; of compared sources the left one's and the right one's",
    )
    about = models.CharField(max_length=20, blank=True, help_text="subject id of a disagreement of compared sources")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    settled_by = models.CharField(max_length=32, blank=True, help_text="the batch that corrected it, or who gave it up")
    settled_on = models.DateField(null=True)
    note = models.CharField(max_length=500, blank=True, help_text="why it was given up")

    class Meta:
        """In the order of the file."""

        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["ticket", "row_id"], name="one_line_per_row")]

    def __str__(self) -> str:
        return f"{self.row_id} {self.state}"
