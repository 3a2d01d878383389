"""Plan: what a campaign run is asked to do, the caps that end it, and the reasons why it ends."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from lineage_repo.model.measurement import Record

HOURS = 48.0
NO_IMPROVEMENT_HOURS = 4.0


class Plan(Record):
    """What one run is asked to do.

    The caps on trials, hours and USD count over all runs of the campaign, so the same plan resumes a run. Hours and
    hours without a keep are always capped.
    """

    models: Mapping[str, str]
    """Specialist to model; a specialist that is not listed gets no session."""
    trials: int | None = None
    """Registered trials that the campaign should have in the end, the baseline not counted; None for no goal."""
    hours: float = Field(default=HOURS, gt=0)
    """Hours that loops may work on the campaign; pauses do not count."""
    no_improvement_hours: float = Field(default=NO_IMPROVEMENT_HOURS, gt=0)
    """Most of these hours since the last keep."""
    usd: float | None = Field(default=None, gt=0)
    """Most that all sessions of the campaign may cost; None for no cap."""
    concurrency: int
    """Most sessions at once."""
    submits: int | None = None
    """Most trials per session; None for the caps of the role."""
    extras: tuple[str, ...] = ()
    """Claude Code's own tools that agents get beside the file tools."""


class RunEnd(StrEnum):
    """Why a campaign run ended."""

    GOAL = "goal"
    """The asked number of trials is recorded."""
    HOURS = "hours"
    USD = "usd"
    NO_IMPROVEMENT = "no_improvement"
    """No keep for as long as the plan allows."""
    STOPPED = "stopped"
    """Somebody asked for it."""
    IDLE = "idle"
    """No specialist submits trials any more."""
    FAILING = "failing"
    """Session after session failed, for every specialist or at the endpoint."""
    UNRECORDED = "unrecorded"
    """Every trial is registered, but some got no outcome in the time that their limits allow."""
    CRASH = "crash"
    """An error in our own code; it is raised as well."""

    @property
    def failed(self) -> bool:
        """Whether somebody should look into it."""
        return self in {RunEnd.IDLE, RunEnd.FAILING, RunEnd.UNRECORDED, RunEnd.CRASH}


class Ending(NamedTuple):
    """Why a run ends, with the facts in one line."""

    reason: RunEnd
    detail: str
