"""Notices: where an edit goes beyond what its role declares. It is reported with the trial, never refused."""

from collections.abc import Mapping

from lineage_repo.model.manifest import Specialist
from lineage_repo.storage.snapshot import matches

_NAMED = 3


def find_notices(role: Specialist, changed: Mapping[str, int]) -> tuple[str, ...]:
    """What to report of an edit, `changed` being lines added and removed per file; empty for one that stays inside."""
    lines: list[str] = []
    surface, radius, size = role.surface, role.edit_radius, sum(changed.values())
    if surface and (outside := sorted(p for p in changed if not matches(p, surface))):
        more = f" and {len(outside) - _NAMED} more" if len(outside) > _NAMED else ""
        named = ", ".join(outside[:_NAMED])
        lines.append(f"{named}{more} edited, outside the surface that {role.name} declares: {', '.join(surface)}")
    if radius and size > radius:
        lines.append(f"{size} lines added and removed, {size - radius} over the edit radius {radius} of {role.name}")
    return tuple(lines)
