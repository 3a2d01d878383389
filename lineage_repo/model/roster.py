"""The roster: the specialists of a campaign, from the manifest and the arm."""

from collections.abc import Sequence
from typing import Literal

from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Arm
from lineage_repo.model.manifest import Specialist, Task

Roster = dict[str, Specialist]
"""The specialists of a campaign by name."""


def recruit(task: Task, arm: Arm, chosen: Sequence[str] = (), agents: int | None = None) -> tuple[str, ...]:
    """Return the specialists' names that a new campaign freezes.

    With the arm `roles` these are the `chosen` roles, or all of the task's; with `generic` they are `agents` equal
    ones, or as many as the task has roles.

    Raises:
        CampaignError: an option does not fit the arm, or the task has no such role.
    """
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
    """Return the specialists called `names`; without roles they are equal, and all are neighbours of each other."""
    declared = (
        {s.name: s for s in task.specialists} if arm == "roles" else {n: _create_generalist(n, names) for n in names}
    )
    chosen = [declared[name] for name in names if name in declared]
    return {s.name: s.model_copy(update={"neighbours": tuple(n for n in s.neighbours if n in names)}) for s in chosen}


def _create_generalist(name: str, names: Sequence[str]) -> Specialist:
    return Specialist(
        name=name,
        title="Generalist: anything that may be edited",
        neighbours=tuple(n for n in names if n != name),
        scope="Everything that may be edited: there are no roles.",
        off_limits="Nothing that may be edited.",
    )
