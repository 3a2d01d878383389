"""What a task takes from elsewhere: a pinned upstream recipe and data. Also a task's variants."""

from typing import Annotated, Any, cast

from pydantic import Field

from lineage_repo.errors import TaskError
from lineage_repo.model.measurement import Record

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Upstream(Record):
    """Files of a public repository from which `adapter/adapt.py` makes the starting recipe."""

    url: str = Field(pattern=r"^https://[A-Za-z0-9./_-]+$")
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    licence: str = Field(max_length=40)
    files: dict[str, Sha256] = Field(min_length=1)
    """Path in the commit to SHA-256."""


class DataNeeds(Record):
    """Data that the user supplies; `espalier task prepare --data` checks it and lays it out."""

    about: str = Field(max_length=300)
    get: str = Field(max_length=500)
    """How to get the data."""


class Variant(Record):
    """The same task under another rule or from another start, with a name of its own."""

    about: str = Field(max_length=300)
    set: dict[str, Any] = Field(default_factory=dict)
    """Dotted key to new value; a list element is addressed by its `name` or `metric`."""


def apply_variant(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a manifest with the values of its variant `name`; raise `TaskError` for an unknown variant or key."""
    variants = manifest.get("variants", {})
    if name not in variants:
        raise TaskError(f"no variant {name!r}: {manifest['name']} has {', '.join(variants) or 'none'}")
    for dotted, value in variants[name].get("set", {}).items():
        *path, last = dotted.split(".")
        place: Any = manifest
        for part in path:
            place = _inside(place, part)
            if place is None:
                raise TaskError(f"variants.{name}.set: the manifest has no {part!r} of {dotted!r}")
        place[last] = value
    return manifest | {"variant": name}


def _inside(place: Any, part: str) -> Any:
    if isinstance(place, list):
        rows = cast(list[dict[str, Any]], place)
        return next((row for row in rows if part in {row.get("name"), row.get("metric")}), None)
    return place.get(part)
