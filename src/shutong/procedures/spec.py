"""A declared procedure: its states, the steps between them, who takes them, and the legal terms they must keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from shutong.spec.models import Model, Name, Title

Unit = Literal["working-days", "days"]


class Term(Model):
    """How long something may take. The day on which it begins is not counted."""

    count: int = Field(ge=0, le=3650, description="number of days")
    unit: Unit = Field(default="working-days", description="working days of the statutory calendar, or calendar days")
    basis: str = Field(default="", description="law and article")


class State(Model):
    """A state of a case."""

    title: Title
    within: Term | None = Field(default=None, description="how long a case may stand here before it is overdue")
    end: bool = Field(default=False, description="nothing follows; the case is closed")


class Transition(Model):
    """A step from one state to another."""

    title: Title
    from_: tuple[Name, ...] = Field(alias="from", min_length=1, description="states it may be taken in")
    to: Name = Field(description="state it leads to")
    roles: tuple[Name, ...] = Field(min_length=1, description="roles that may take it; system for the platform itself")
    party: Name | None = Field(
        default=None,
        description="the side that takes it, where one role stands on several; it is taken by the verbs of its area only",
    )
    needs_reason: bool = Field(default=False, description="the reason must be given in words")
    once: bool = Field(default=False, description="it may be taken only once in a case")
    restarts_clock: bool = Field(default=True, description="whether the term of the new state starts anew")
    pauses_clock: bool = Field(default=False, description="the term stands still from here until a step resumes it")
    resumes_clock: bool = Field(default=False, description="what was left of the paused term runs on from here")
    extends: Term | None = Field(default=None, description="added to the running term, from its last day on")

    @model_validator(mode="after")
    def _one_clock(self) -> Transition:
        if sum((self.pauses_clock, self.resumes_clock, self.extends is not None)) > 1:
            raise ValueError("a step either pauses, resumes or extends the clock")
        return self


class Procedure(Model):
    """States and steps that a case goes through. Checked as a whole: every name exists, every state can be reached."""

    procedure: Name
    title: Title
    basis: str = ""
    version: int = 1
    start: Name = Field(description="state of a new case")
    states: Mapping[Name, State] = Field(min_length=1)
    steps: Mapping[Name, Transition] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Procedure:
        for name in (self.start, *(step.to for step in self.steps.values())):
            if name not in self.states:
                raise ValueError(f"there is no state {name!r}; states are {', '.join(self.states)}")
        for key, step in self.steps.items():
            for name in step.from_:
                if name not in self.states:
                    raise ValueError(f"step {key!r} begins at {name!r}, which is no state")
                if self.states[name].end:
                    raise ValueError(f"step {key!r} begins at {name!r}, where a case is closed")
        reached = {self.start}
        while more := {
            step.to for step in self.steps.values() if reached.intersection(step.from_) and step.to not in reached
        }:
            reached |= more
        if lost := set(self.states) - reached:
            raise ValueError(f"no step leads to {', '.join(sorted(lost))}")
        return self

    def steps_from(self, state: str, roles: frozenset[str] | None = None) -> tuple[str, ...]:
        """The steps that may be taken in ``state``, by somebody with ``roles`` where they are given."""
        return tuple(
            name
            for name, step in self.steps.items()
            if state in step.from_ and (roles is None or roles.intersection(step.roles))
        )
