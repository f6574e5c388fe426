"""Cases of procedures and the steps they took."""

from __future__ import annotations

from django.db import models

from shutong.procedures.spec import Procedure


class Case(models.Model):
    """Something that goes through a procedure: a listing, a ticket, a request.

    ``about`` is the id of the thing in its own area (``listing/42``); the declaration of the procedure is kept as it was
    when the case was opened, so that a later version does not move its terms. ``department`` is whose turn it is, empty
    for the data bureau; ``days_left`` is what is left of a term that stands still, in the unit of the term.
    """

    procedure = models.CharField(max_length=63, db_index=True)
    version = models.IntegerField()
    declaration = models.TextField()
    about = models.CharField(max_length=120, db_index=True)
    department = models.CharField(max_length=64, blank=True, db_index=True)
    state = models.CharField(max_length=63, db_index=True)
    opened_on = models.DateField()
    state_since = models.DateField()
    due_on = models.DateField(null=True, db_index=True)
    days_left = models.IntegerField(null=True)
    closed_on = models.DateField(null=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.procedure}/{self.pk}"

    @property
    def declared(self) -> Procedure:
        """The procedure as it was declared when the case was opened."""
        return Procedure.model_validate_json(self.declaration)


class Step(models.Model):
    """A step that was taken; never changed."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="steps")
    number = models.IntegerField()
    step = models.CharField(max_length=63)
    from_state = models.CharField(max_length=63, blank=True)
    to_state = models.CharField(max_length=63)
    on = models.DateField()
    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=64)
    by_name = models.CharField(max_length=64, blank=True)
    department = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    was_due_on = models.DateField(null=True)

    class Meta:
        ordering = ("case", "number")
        constraints = (models.UniqueConstraint(fields=("case", "number"), name="procedures_step_once"),)
