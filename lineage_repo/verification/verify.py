"""Verify a lineage offline: its files, chain, commits and refs, and every verdict by judging again."""

from collections.abc import Iterable, Iterator

from lineage_repo.errors import EspalierError
from lineage_repo.model.comparison import Comparison
from lineage_repo.model.ledger import (
    Calibration,
    CampaignEntry,
    Demotion,
    Entry,
    Proof,
    ProofRegistration,
    Registration,
    Trial,
)
from lineage_repo.model.measurement import Record
from lineage_repo.record.entries import read_entry
from lineage_repo.record.imported import take_over
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.store import Row, Store
from lineage_repo.verdict import rules
from lineage_repo.verification.commits import check_commits, check_entry_commit
from lineage_repo.verification.comparisons import Freshness, check_comparison
from lineage_repo.verification.foreign import check_edits, check_files, check_refs, check_trees
from lineage_repo.verification.proofs import check_demotion, check_proof, check_registration
from lineage_repo.verification.trials import check_level, check_trial


class Verification(Record):
    """What `verify` found; the record is intact if `problems` is empty."""

    tip: str | None
    """Commit of the newest entry: note it elsewhere, and a rewritten history cannot pass for this one."""
    entries: int
    trials: int
    keeps: int
    unfinished: tuple[int, ...]
    """Trials that were registered and have no verdict yet."""
    unfinished_proofs: tuple[int, ...]
    """Proofs that were registered and did not end, or whose demotion is not written yet."""
    imported: bool
    """Whether another harness made the trials; their verdicts are then compared with the import, not replayed."""
    problems: tuple[str, ...]
    """One line each, beginning with where the problem is."""


def verify(store: Store, *, full: bool = True) -> Verification:
    """Check the repository of a campaign or any full clone of it, without a network or the evaluator.

    A stranger may have written the record: each problem is named, and nothing in the record makes this raise.

    Args:
        store: The repository (`Lineage.store`).
        full: Whether git reads every object (`git fsck --full`) or only checks that each is there.
    """
    lineage, rows = Lineage(store), list[Row]()
    fsck = store.fsck(full=full)
    problems = [fsck] if fsck else []
    # The checks are generators: each starts when it is collected, the later ones on the replayed lineage.
    checks = {"repository": check_files(store), "ledger": _replay(lineage, rows)}
    checks_of_entries = {
        "commits": check_commits(lineage),
        "notices": _check_notices(lineage),
        "edits": check_edits(lineage),
        "refs": check_refs(lineage),
        "trees": check_trees(lineage, rows),
    }
    for name, check in checks.items():
        problems += _collect(name, check)
    # A ledger whose first entry is unreadable leaves nothing to compare with.
    for name, check in () if lineage.is_empty else checks_of_entries.items():
        problems += _collect(name, check)
    return Verification(
        tip=rows[-1].commit if rows else None,
        entries=len(rows),
        trials=len(lineage.trials),
        problems=tuple(problems),
        keeps=sum(t.status == "keep" for t in lineage.trials.values()),
        unfinished=tuple(e.number for e in lineage.running()),
        unfinished_proofs=tuple(e.proof for e in (lineage.running_proof(), lineage.find_due_demotion()) if e),
        imported=not lineage.is_empty and lineage.is_imported,
    )


def _collect(where: str, check: Iterable[str]) -> list[str]:
    problems: list[str] = []
    try:
        problems.extend(check)
    except EspalierError as error:
        problems.append(f"{where}: {error}")
    except Exception as error:  # a malformed record may break any check, and must become a problem all the same
        problems.append(f"{where}: can't be checked, {type(error).__name__}: {error}")
    return problems


def _replay(lineage: Lineage, rows: list[Row]) -> Iterator[str]:
    """Check each entry against the earlier ones, then fold it into `lineage`; stop at an unreadable entry."""
    rows += lineage.store.rows()
    if not rows:
        yield f"{lineage.store.path} has no ledger"
    previous, freshness = None, Freshness()
    for row, commit in zip(rows, lineage.store.read_commits([row.commit for row in rows]), strict=True):
        entry = read_entry(row)
        where = f"ledger entry {row.commit[:12]}"
        yield from _collect(where, check_entry_commit(lineage, row, entry, previous, commit))
        yield from _collect(where, _check_entry(lineage, row, entry))
        yield from _collect(where, _check_freshness(freshness, where, entry))
        lineage.fold(row, entry)
        previous = row


def _check_entry(lineage: Lineage, row: Row, entry: Entry) -> Iterator[str]:
    where = f"ledger entry {row.commit[:12]}"
    if isinstance(entry, CampaignEntry) != lineage.is_empty:
        yield f"{where}: a ledger has one campaign entry, its first"
    if entry.canonical() != row.body:
        yield f"{where}: its JSON is not in canonical form"
    if not isinstance(entry, CampaignEntry) and lineage.is_imported:
        yield from _check_imported(lineage, where, entry)
        return
    if isinstance(entry, Registration):
        if entry.number != len(lineage.registered):
            yield f"{where}: registers trial {entry.number:04d}, but {len(lineage.registered):04d} is next"
        if entry.proposal.parent is not None and entry.proposal.parent not in lineage.trials:
            yield f"{where}: trial {entry.number:04d} has the parent {entry.proposal.parent:04d}, not recorded then"
    if lineage.find_due_demotion() and not isinstance(entry, Demotion):
        yield f"{where}: a replication found no gain before, and its demotion is missing"
    if isinstance(entry, Calibration):
        yield from check_level(lineage, where, entry.isolation)
        yield from _check_calibration(lineage, where, entry.comparison)
    if isinstance(entry, ProofRegistration):
        yield from check_registration(lineage, where, entry)
    if isinstance(entry, Proof):
        if entry.comparisons:
            yield from check_level(lineage, where, entry.isolation)
        yield from check_proof(lineage, where, entry)
    if isinstance(entry, Demotion):
        yield from check_demotion(lineage, where, entry)
    if isinstance(entry, Trial):
        if entry.imported:
            yield f"{where}: trial {entry.number:04d} is imported, but its lineage is not"
        yield from check_trial(lineage, where, entry)


def _check_freshness(freshness: Freshness, where: str, entry: Entry) -> Iterator[str]:
    """No seed and no value is entered twice; the start repeats its calibrations, and only they."""
    match entry:
        case Calibration():
            yield from freshness.check(where, "an earlier calibration", [entry.comparison])
        case Trial() if entry.number:
            what = f"trial {entry.number:04d}"
            yield from freshness.check(f"{where}: {what}", what, entry.comparisons)
        case Proof():
            what = f"proof {entry.proof}"
            yield from freshness.check(f"{where}: {what}", what, entry.comparisons)
        case _:
            return


def _check_calibration(lineage: Lineage, where: str, comparison: Comparison) -> Iterator[str]:
    """A calibration measures the first one's recipe beside itself: more seeds of it would understate the noise."""
    task, where = lineage.task, f"{where}: the calibration"
    if not comparison.shared_seeds:
        yield f"{where} does not measure each seed twice"
    if comparison.candidate.n_seeds != task.n_seeds:
        yield f"{where} has {comparison.candidate.n_seeds} seeds, the campaign {task.n_seeds}"
    yield from check_comparison(lineage, where, comparison, rules.order_blocks(task.n_seeds), (None, None))
    first = next((c.measurement.source_bytes for c in lineage.calibrations), comparison.candidate.source_bytes)
    for measurement in comparison.measurements:
        if (size := measurement.source_bytes) != first:
            yield f"{where} has a source of {size} bytes, the first one {first}: another recipe"


def _check_imported(
    lineage: Lineage, where: str, entry: Calibration | Registration | Trial | ProofRegistration | Proof | Demotion
) -> Iterator[str]:
    """An imported trial has exactly what follows from the other harness's numbers."""
    if not isinstance(entry, Trial) or entry.imported is None:
        yield f"{where}: an imported lineage has a {entry.kind} entry that was not imported"
        return
    what = f"{where}: trial {entry.number:04d}"
    if entry.number != len(lineage.trials):
        yield f"{what} comes where {len(lineage.trials):04d} is next"
    parent = entry.proposal.parent
    if parent is not None and parent not in lineage.trials:
        yield f"{what} has the parent {parent:04d}, not recorded then"
    elif entry != take_over(lineage, entry.number, entry.proposal, entry.imported, entry.at):
        yield f"{what} does not follow from what was imported"


def _check_notices(lineage: Lineage) -> Iterator[str]:
    """A trial's notices follow from its recipe, its parent's and its role."""
    trials = list(lineage.trials.values())
    for trial, notices in zip(trials, lineage.notices([t.proposal for t in trials]), strict=True):
        if trial.notices != notices:
            yield f"trial {trial.number:04d}: its notices do not follow from its edit and its role"
