"""What the roof hands to the worker: who hears of which event, and what is done every day."""

from __future__ import annotations

from shutong.collect.actions import DELIVERED
from shutong.jobs.outbox import Handlers
from shutong.jobs.schedule import Daily
from shutong.pipeline import jobs as pipeline_jobs
from shutong.subjects.actions import DECIDED

HANDLERS: Handlers = {DELIVERED: (pipeline_jobs.on_delivery,), DECIDED: (pipeline_jobs.on_decision,)}
SCHEDULE: tuple[Daily, ...] = pipeline_jobs.SCHEDULE
