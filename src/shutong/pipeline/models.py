"""The run ledger: when each run and each of its stages took place, and how it ended. Wall-clock times live only here."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Run(models.Model):
    """One run of the way over a home."""

    class State(models.TextChoices):
        """How the run stands; a killed run is found and marked by the next one."""

        RUNNING = "running", "进行中"
        DONE = "done", "完成"
        FAILED = "failed", "失败"
        KILLED = "killed", "中断"
        STOPPED = "stopped", "变动过大，待确认"

    run_id = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=20, help_text="full, increment or nothing")
    business_day = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    upto_seq = models.BigIntegerField(default=0, help_text="the last batch that the run took in")
    subjects = models.BigIntegerField(default=0, help_text="subjects computed again")
    error = models.TextField(blank=True)

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.run_id} {self.state}"


class StageRun(models.Model):
    """One stage of a run: seconds, peak memory of the process tree, rows written."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="stages")
    position = models.IntegerField()
    stage = models.CharField(max_length=60)
    seconds = models.FloatField()
    peak_bytes = models.BigIntegerField(default=0)
    rows = models.JSONField(default=dict, help_text="rows written, by table")

    class Meta:
        """In the order they ran."""

        ordering: ClassVar = ["position"]

    def __str__(self) -> str:
        return f"{self.stage} {self.seconds:.2f} s"
