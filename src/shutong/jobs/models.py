"""Events waiting to be handed on, and the days on which scheduled work was started."""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """Something that happened; written in the transaction that made it so, delivered at least once to each handler."""

    name = models.CharField(max_length=80)
    payload = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    done = models.JSONField(default=list)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=("next_attempt_at", "id"),
                condition=models.Q(delivered_at__isnull=True),
                name="jobs_event_waiting",
            ),
        )
