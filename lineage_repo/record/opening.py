"""Open a lineage from a campaign folder, its bare repository, or any clone of it."""

from pathlib import Path

from lineage_repo.errors import RecordError
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.store import Store


def find_store(directory: Path) -> Store:
    """Return the repository of a campaign folder, or `directory` itself if it is one; else raise `RecordError`."""
    inside = CampaignPaths(directory).repository
    store = Store(inside if inside.is_dir() else directory)
    if not store.is_repository():
        raise RecordError(f"{directory} is neither a campaign nor a clone of a lineage")
    return store


def open_lineage(directory: Path) -> Lineage:
    """Read the whole ledger of a campaign folder, a bare repository or a clone.

    Raises:
        RecordError: `directory` is none of these, or its ledger is empty, malformed or of another version.
    """
    lineage = Lineage(find_store(directory)).refresh()
    if lineage.is_empty:
        raise RecordError(f"{directory} has a git repository, but no ledger: it is not a clone of a lineage")
    return lineage
