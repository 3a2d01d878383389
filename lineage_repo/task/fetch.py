"""Fetch upstream code at its pinned commit."""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lineage_repo.errors import RecordError, TaskError
from lineage_repo.model.upstream import Upstream
from lineage_repo.storage.repository import Repository
from lineage_repo.storage.store import Store


def fetch_upstream(upstream: Upstream, source: str | None, into: Path) -> None:
    """Write the pinned files below `into`, from `source` (a clone or an address) or from upstream's own address.

    Raises:
        TaskError: the commit or a file is missing there, or a file has other bytes than pinned.
    """
    place = source or upstream.url
    try:
        files = _read_files(place, upstream.commit, list(upstream.files))
    except RecordError as error:
        raise TaskError(
            f"commit {upstream.commit[:12]} of {upstream.url} can't be fetched from {place}: {error}; "
            f"git clone {upstream.url} where there is a network, and name the clone with --from"
        ) from None
    for path, body in files.items():
        if (digest := hashlib.sha256(body).hexdigest()) != upstream.files[path]:
            raise TaskError(f"{path} has sha256 {digest}, but {upstream.files[path]} is pinned: this is other code")
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_bytes(body)


def _read_files(source: str, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
    """Read files of one commit of a foreign repository: a local clone, or an https address."""
    names = [f"{commit}:{path}" for path in paths]
    if "://" not in source and not Path(source).is_dir():
        raise RecordError(f"{source} is not a folder")
    if Path(source).is_dir():
        return dict(zip(paths, Repository(Path(source)).blobs(names), strict=True))
    with tempfile.TemporaryDirectory() as scratch:
        store = Store.create(Path(scratch) / "fetched.git")
        store.run("fetch", "--quiet", "--depth", "1", "--", source, commit, protocols="https")
        return dict(zip(paths, store.blobs(names), strict=True))
