"""Upstream code, fetched at its pin."""

import hashlib
from pathlib import Path

from lineage_repo.store import StoreError, files_of
from lineage_repo.upstream import Upstream, UpstreamError


def fetch(upstream: Upstream, source: str | None, into: Path) -> None:
    """Write the pinned files below `into`, from `source` (a clone or an address) or upstream's own address.

    Raises:
        UpstreamError: no such commit or file there, or other bytes than pinned.
    """
    place = source or upstream.url
    try:
        found = files_of(place, upstream.commit, list(upstream.files))
    except StoreError as error:
        raise UpstreamError(
            f"commit {upstream.commit[:12]} of {upstream.url} can't be had from {place}: {error}; "
            f"git clone {upstream.url} where there is a network, and name the clone with --from"
        ) from None
    for path, body in found.items():
        if (digest := hashlib.sha256(body).hexdigest()) != upstream.files[path]:
            raise UpstreamError(f"{path} has sha256 {digest}, {upstream.files[path]} is pinned: this is other code")
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_bytes(body)
