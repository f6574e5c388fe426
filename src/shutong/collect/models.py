"""What the area collect must remember for the screens: the batches, as the lake's table ``batches`` has them.

The lake is the truth; rows here are written by ``collect.actions`` and can be made again from it.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Batch(models.Model):
    """One delivery that came in or was refused, with its signed receipt."""

    class State(models.TextChoices):
        """What became of it."""

        IN = "in", "已入库"
        REFUSED = "refused", "已退回"

    batch_id = models.CharField(max_length=32, primary_key=True)
    resource = models.CharField(max_length=63, db_index=True)
    department = models.CharField(max_length=63, db_index=True, help_text="the resource's department when it came in")
    seq = models.BigIntegerField(unique=True, help_text="order of arrival over the home")
    received_on = models.DateField(db_index=True)
    received_at = models.DateTimeField()
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State.choices)
    rows = models.BigIntegerField()
    accepted = models.BigIntegerField()
    rejected = models.BigIntegerField()
    flagged = models.BigIntegerField()
    corrects = models.CharField(max_length=32, blank=True, db_index=True, help_text="the batch it corrects")
    refusal = models.CharField(max_length=40, blank=True, help_text="code of the refusal")
    receipt = models.TextField(help_text="signed JSON text")

    class Meta:
        """Latest first; a department's page lists its own."""

        ordering: ClassVar = ["-seq"]
        indexes: ClassVar = [models.Index(fields=["department", "-seq"], name="batch_by_department")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.resource} {self.state}"
