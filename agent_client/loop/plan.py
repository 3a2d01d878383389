"""Plan: what a campaign run is asked to do, and the caps that end it."""

from collections.abc import Mapping

from pydantic import Field

from lineage_repo.model.measurement import Record

HOURS = 48.0
NO_IMPROVEMENT_HOURS = 4.0


class Plan(Record):
    """What a run is asked to do; hours and time without a keep are capped always."""

    models: Mapping[str, str]
    """Specialist to model; who is absent holds no session."""
    trials: int | None = None
    """Registered trials that the campaign is to have in the end."""
    hours: float = Field(default=HOURS, gt=0)
    """That loops may work on the campaign, earlier runs included, pauses left out."""
    no_improvement_hours: float = Field(default=NO_IMPROVEMENT_HOURS, gt=0)
    """Of the same time, since the last keep."""
    usd: float | None = Field(default=None, gt=0)
    """That all sessions of the campaign may cost, earlier runs included."""
    concurrency: int
    submits: int | None = None
    """Most trials per session; None for the caps of the role."""
    extras: tuple[str, ...] = ()
    """Claude Code's own tools that agents get beside the file tools."""
