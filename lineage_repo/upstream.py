"""What a task takes from elsewhere: an upstream recipe at a pinned commit, data, and variants of itself."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field

from lineage_repo.errors import EspalierError
from lineage_repo.records import Record
from lineage_repo.store import StoreError, files_of

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UpstreamError(EspalierError):
    """An upstream recipe that can't be had as pinned; the message names the file or source and the next step."""


class Upstream(Record):
    """Files of a public repository that a starting recipe is made from; `adapter/adapt.py` makes it."""

    url: str = Field(pattern=r"^https://[A-Za-z0-9./_-]+$")
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    licence: str = Field(max_length=40)
    files: dict[str, Sha256] = Field(min_length=1)
    """SHA-256 by path in the commit."""

    def fetch(self, source: str | None, into: Path) -> None:
        """Write the pinned files below `into`, from `source` (a clone or an address) or `url`.

        Raises:
            UpstreamError: no such commit or file there, or other bytes than pinned.
        """
        try:
            found = files_of(source or self.url, self.commit, list(self.files))
        except StoreError as error:
            raise UpstreamError(
                f"commit {self.commit[:12]} of {self.url} can't be had from {source or self.url}: {error}; "
                f"git clone {self.url} where there is a network, and name the clone with --from"
            ) from None
        for path, body in found.items():
            if (digest := hashlib.sha256(body).hexdigest()) != self.files[path]:
                raise UpstreamError(f"{path} has sha256 {digest}, {self.files[path]} is pinned: this is other code")
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_bytes(body)


class DataNeeds(Record):
    """Data that the user brings, and that `espalier task prepare --data` checks and lays out."""

    about: str = Field(max_length=300)
    get: str = Field(max_length=500)
    """How to get it."""


class Variant(Record):
    """The same task under another rule or from another start, labelled as such."""

    about: str = Field(max_length=300)
    set: dict[str, Any] = Field(default_factory=dict)
    """New values by dotted key; an element of a list is named by its `name` or `metric`."""


def varied(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """A manifest as its variant `name` has it; raise `UpstreamError` where there is no such variant or key."""
    variants = manifest.get("variants", {})
    if name not in variants:
        raise UpstreamError(f"no variant {name!r}: {manifest['name']} has {', '.join(variants) or 'none'}")
    for dotted, value in variants[name].get("set", {}).items():
        *path, last = dotted.split(".")
        place: Any = manifest
        for part in path:
            place = _inside(place, part)
            if place is None:
                raise UpstreamError(f"variants.{name}.set: the manifest has no {part!r} of {dotted!r}")
        place[last] = value
    return manifest | {"variant": name}


def _inside(place: Any, part: str) -> Any:
    if isinstance(place, list):
        rows = cast(list[dict[str, Any]], place)
        return next((row for row in rows if part in {row.get("name"), row.get("metric")}), None)
    return place.get(part)
