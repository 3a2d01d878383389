"""The record of a search: a git repository in which each trial is one commit.

The names below are the public API. They load when they are first used, so that `import lineage_repo` stays light.

>>> from pathlib import Path
>>> from lineage_repo import open_lineage
>>> lineage = open_lineage(Path("runs/demo"))  # doctest: +SKIP

Rooms, from the ground up; each imports only from rooms above it in this list:

    errors, progress    the dozen errors, and the channel that reports the progress of long work
    text                what may be recorded, how it is shown, what is redacted
    model               the frozen values: manifest, proposal, measurement, ledger entries, sessions, paths
    storage             git, files and locks
    verdict             the judge and the certification, pure functions
    task                task folders
    record              campaigns and lineages
    verification        check a lineage offline
    prompting           what agents read
    monitor             what a running campaign does
    analysis            what the trials show together
    interchange         import and export
    report              offline pages
    cli                 the `espalier` command
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage_repo.errors import EspalierError
    from lineage_repo.model.ledger import Trial, Verdict
    from lineage_repo.model.manifest import Task
    from lineage_repo.model.measurement import Status
    from lineage_repo.record.campaign import Campaign
    from lineage_repo.record.claims import Claims
    from lineage_repo.record.lineage import Lineage
    from lineage_repo.record.opening import open_lineage
    from lineage_repo.verification.verify import verify

__all__ = [
    "Campaign",
    "Claims",
    "EspalierError",
    "Lineage",
    "Status",
    "Task",
    "Trial",
    "Verdict",
    "open_lineage",
    "verify",
]

_HOMES = {
    "Campaign": "lineage_repo.record.campaign",
    "Claims": "lineage_repo.record.claims",
    "EspalierError": "lineage_repo.errors",
    "Lineage": "lineage_repo.record.lineage",
    "Status": "lineage_repo.model.measurement",
    "Task": "lineage_repo.model.manifest",
    "Trial": "lineage_repo.model.ledger",
    "Verdict": "lineage_repo.model.ledger",
    "open_lineage": "lineage_repo.record.opening",
    "verify": "lineage_repo.verification.verify",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
