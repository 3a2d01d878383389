"""The roster: who searches, from the manifest and the campaign's arm."""

from collections.abc import Sequence
from typing import Literal

from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Arm
from lineage_repo.model.manifest import Specialist, Task

Roster = dict[str, Specialist]
"""Every specialist of a campaign by its name."""


def recruit(task: Task, arm: Arm, chosen: Sequence[str] = (), agents: int | None = None) -> tuple[str, ...]:
    """The names that a new campaign freezes: the roles `chosen` of the task or all of them, or `agents` equal ones."""
    roles = tuple(s.name for s in task.specialists)
    if chosen and arm != "roles":
        raise CampaignError(f"--specialists chooses among roles, and the arm {arm!r} has none: leave it out")
    if agents is not None and arm != "generic":
        raise CampaignError(f"--agents {agents} counts equal agents, which only --arm generic has, not {arm!r}")
    if unknown := set(chosen) - set(roles):
        raise CampaignError(f"{task.name} has no specialist {sorted(unknown)}; it has {', '.join(roles)}")
    match arm:
        case "roles":
            return tuple(dict.fromkeys(chosen)) or roles
        case "generic":
            return tuple(f"agent-{i:02d}" for i in range(1, (agents or len(roles)) + 1))
        case "single":
            return ("agent",)


def build_roster(task: Task, arm: Arm | Literal["unknown"], names: Sequence[str]) -> Roster:
    """The specialists called `names`; without roles all are equal, and each is every other's neighbour."""
    declared = {s.name: s for s in task.specialists} if arm == "roles" else {n: _generalist(n, names) for n in names}
    found = [declared[name] for name in names if name in declared]
    return {s.name: s.model_copy(update={"neighbours": tuple(n for n in s.neighbours if n in names)}) for s in found}


def _generalist(name: str, names: Sequence[str]) -> Specialist:
    return Specialist(
        name=name,
        title="Generalist: anything that may be edited",
        neighbours=tuple(n for n in names if n != name),
        scope="Everything that may be edited: there are no roles.",
        off_limits="Nothing that may be edited.",
    )
