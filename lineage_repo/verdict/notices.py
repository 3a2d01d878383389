"""Notices: where an edit goes beyond what its role declares. They are reported with the trial; nothing is refused."""

from collections.abc import Mapping

from lineage_repo.model.manifest import Specialist
from lineage_repo.storage.snapshot import matches

_MAX_NAMED = 3
"""Files that a notice names; it counts the others."""


def find_notices(role: Specialist, changed: Mapping[str, int]) -> tuple[str, ...]:
    """Return what to report of an edit: files outside the role's surface, and a size over its radius.

    Args:
        role: The specialist that made the edit.
        changed: Path to lines added plus removed, against the parent.
    """
    lines: list[str] = []
    surface, radius, size = role.surface, role.edit_radius, sum(changed.values())
    if surface and (outside := sorted(p for p in changed if not matches(p, surface))):
        more = f" and {len(outside) - _MAX_NAMED} more" if len(outside) > _MAX_NAMED else ""
        named = ", ".join(outside[:_MAX_NAMED])
        lines.append(f"{named}{more} edited, outside the surface that {role.name} declares: {', '.join(surface)}")
    if radius and size > radius:
        lines.append(f"{size} lines added and removed, {size - radius} over the edit radius {radius} of {role.name}")
    return tuple(lines)
