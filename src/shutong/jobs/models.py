"""Events waiting to be handed on, and the workers that are alive. Queued work itself is django-tasks-db's table."""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """Something that happened; written in the transaction that made it so, delivered at least once to each handler."""

    name = models.CharField(max_length=80)
    payload = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, db_index=True)
    done = models.JSONField(default=list)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    given_up = models.BooleanField(default=False)
    error = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=("next_attempt_at", "id"),
                condition=models.Q(delivered_at__isnull=True, given_up=False),
                name="jobs_event_waiting",
            ),
        )


class Worker(models.Model):
    """A worker process that says every few seconds that it is alive; work of one that no longer does is taken back."""

    name = models.CharField(max_length=64, primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
