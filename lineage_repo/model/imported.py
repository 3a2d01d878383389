"""What another harness recorded of a trial."""

from typing import Annotated

from pydantic import Field, FiniteFloat

from lineage_repo.model.measurement import Name, Record, Status
from lineage_repo.text.sanitize import Line


class Imported(Record):
    """What another harness recorded of a trial: taken over unchanged, neither measured nor judged here."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    """The trial's name in the other harness."""
    domain: Annotated[Line, Field(max_length=60)] = ""
    """The part of the recipe that it edits, as the other harness classifies it."""
    status: Status
    values: dict[Name, FiniteFloat] = Field(default={})
    """Every number recorded there, by column name, also where the trial has no score."""
    n_seeds: Annotated[int, Field(ge=1)] | None = None
    """Number of runs that the values are means of; None where the origin does not say."""
    slot_s: Annotated[FiniteFloat, Field(ge=0)] | None = None
    """Wall seconds that the trial occupied a slot; None where the origin does not say."""
    failure: Line | None = None
    code: Annotated[Line, Field(max_length=200)] = ""
    """Where the other harness kept the code, which is not imported."""
    missing: tuple[Name, ...] = ()
    """Parts that a trial of ours has and this one lacks: `expected_delta`, `session`, `recipe` or `time`."""
    repairs: tuple[Line, ...] = ()
    """What the import had to change, one line per change."""
