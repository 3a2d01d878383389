"""Verify a lineage offline: the chain, the commits, the refs, and every verdict again."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from lineage_repo.imported import taken_over
from lineage_repo.judge import JUDGE_VERSION, judge, pooled
from lineage_repo.lineage import Lineage, read_entry
from lineage_repo.message import proposal_message, trial_message
from lineage_repo.records import (
    LEVELS,
    Calibration,
    CampaignEntry,
    Entry,
    Incumbent,
    Proposal,
    Record,
    Replication,
    Started,
    Trial,
)
from lineage_repo.replication import compared
from lineage_repo.store import BEST, LEDGER, Row, Signature, Store, StoreError


class Report(Record):
    """What `verify` found; empty `problems` means that the record holds."""

    tip: str | None
    entries: int
    trials: int
    keeps: int
    unfinished: tuple[int, ...]
    imported: bool
    """Whether another harness made the trials: then its verdicts are checked as taken over, not replayed."""
    problems: tuple[str, ...]


def verify(store: Store, *, full: bool = True) -> Report:
    """Check a campaign's repository or any clone of it."""
    problems = [wrong] if (wrong := store.fsck(full=full)) else []
    if not store.is_whole():
        problems.append(f"{store.path} has grafts or is a shallow clone: verify a full one")
    rows: list[Row] = []
    lineage = Lineage(store)
    try:
        rows = store.rows()
        for row in rows:
            entry = read_entry(row)
            problems += _check_entry(lineage, row, entry)
            lineage.fold(row, entry)
        if not rows:
            problems.append(f"{store.path} has no ledger")
        else:
            problems += _check_commits(lineage)
            problems += _check_notices(lineage)
            problems += _check_refs(lineage)
            problems += _check_entries(store, rows)
    except (StoreError, ValueError) as error:
        problems.append(str(error))
    return Report(
        tip=rows[-1].commit if rows else None,
        entries=len(rows),
        trials=len(lineage.trials),
        problems=tuple(problems),
        keeps=sum(t.status == "keep" for t in lineage.trials.values()),
        unfinished=tuple(e.number for e in lineage.running()),
        imported=lineage.campaign is not None and lineage.campaign.origin is not None,
    )


def _check_entry(lineage: Lineage, row: Row, entry: Entry) -> Iterator[str]:
    where = f"ledger entry {row.commit[:12]}"
    if isinstance(entry, CampaignEntry) != (lineage.campaign is None):
        yield f"{where}: the ledger must begin with one campaign entry, and hold one only"
    if entry.canonical() != row.body:
        yield f"{where}: its JSON is not in canonical form"
    if not isinstance(entry, CampaignEntry) and lineage.campaign and lineage.campaign.origin:
        yield from _check_imported(lineage, where, entry)
        return
    if isinstance(entry, Started):
        if entry.number != len(lineage.started):
            yield f"{where}: starts trial {entry.number:04d}, but {len(lineage.started):04d} is next"
        if entry.proposal.parent is not None and entry.proposal.parent not in lineage.trials:
            yield f"{where}: trial {entry.number:04d} is rooted from {entry.proposal.parent:04d}, not recorded then"
    if isinstance(entry, Calibration):
        yield from _check_level(lineage, where, entry.isolation)
    if isinstance(entry, Replication):
        yield from _check_level(lineage, where, entry.isolation)
        yield from _check_replication(lineage, where, entry)
    if isinstance(entry, Trial):
        if entry.imported:
            yield f"{where}: trial {entry.number:04d} is imported, its lineage is not"
        yield from _check_trial(lineage, where, entry)


def _check_replication(lineage: Lineage, where: str, entry: Replication) -> Iterator[str]:
    numbers = (entry.number, entry.against)
    if lost := [n for n in numbers if n not in lineage.trials]:
        yield f"{where}: it measures trial {lost[0]:04d} again, not recorded then"
    elif entry != compared(
        lineage.task, numbers, entry.measurements, lineage.noise(lineage.task), entry.isolation, entry.at
    ):
        pair = f"{entry.number:04d} with {entry.against:04d}"
        yield f"{where}: its comparison of {pair} is not what its measurements give"


def _check_imported(lineage: Lineage, where: str, entry: Calibration | Started | Trial | Replication) -> Iterator[str]:
    """A trial that another harness made says what follows from its own numbers, and claims no measurement of ours."""
    if not isinstance(entry, Trial) or entry.imported is None:
        yield f"{where}: an imported lineage holds a {entry.kind} entry that was not imported"
        return
    what = f"{where}: trial {entry.number:04d}"
    if entry.number != len(lineage.trials):
        yield f"{what} stands where {len(lineage.trials):04d} is next"
    parent = entry.proposal.parent
    if parent is not None and parent not in lineage.trials:
        yield f"{what} is rooted from {parent:04d}, not recorded then"
    elif entry != taken_over(lineage, entry.number, entry.proposal, entry.imported, entry.at):
        yield f"{what} says more than was imported, or what does not follow from it"


def _check_trial(lineage: Lineage, where: str, trial: Trial) -> Iterator[str]:
    what = f"{where}: trial {trial.number:04d}"
    started = lineage.started.get(trial.number)
    if started is None:
        yield f"{what} has an outcome but was never started"
        return
    if trial.number in lineage.trials:
        yield f"{what} has a second outcome"
    if (trial.proposal, trial.digests, trial.started) != (started.proposal, started.digests, started.at):
        yield f"{what} claims another proposal than was registered"
    task = lineage.task
    if trial.incumbent != lineage.incumbent():
        yield f"{what} was judged against {_brief(trial.incumbent)}, but the best was {_brief(lineage.incumbent())}"
    yield from _check_measurement(lineage, what, trial)
    if trial.number and trial.noise != lineage.noise(task):
        yield f"{what} was judged with a noise that the calibrations don't give"
    parent = trial.proposal.parent
    if trial.parent_score != (lineage.trials[parent].score if parent in lineage.trials else None):
        yield f"{what} compares with a parent score that its parent doesn't have"
    if trial.judge_version != JUDGE_VERSION:
        yield f"{what} was judged by version {trial.judge_version}, which version {JUDGE_VERSION} can't replay"
    elif judge(task, trial.measurement, trial.fault, trial.incumbent, trial.parent_score, trial.noise) != trial.outcome:
        yield f"{what} says {trial.status}, which its measurement does not replay to"


def _brief(incumbent: Incumbent | None) -> str:
    return "nothing" if incumbent is None else f"{incumbent.number:04d} ({incumbent.score}, {incumbent.seeds} seeds)"


def _check_measurement(lineage: Lineage, what: str, trial: Trial) -> Iterator[str]:
    """The record of a trial fits the campaign that it belongs to."""
    campaign, task, measurement = lineage.campaign, lineage.task, trial.measurement
    if campaign is None:
        return
    if {k: v for k, v in trial.digests.items() if k != "brief"} != campaign.digests:
        yield f"{what} was measured with other digests than the campaign's"
    if trial.proposal.specialist not in {*lineage.roster, "start"}:
        yield f"{what} is by {trial.proposal.specialist!r}, whom the campaign doesn't have"
    if not trial.started <= trial.at:
        yield f"{what} ended before it started"
    if trial.number == 0:
        if trial.proposal.snapshot != campaign.start:
            yield f"{what} is not the start that the campaign froze"
        if measurement != pooled([c.measurement for c in lineage.calibrations]):
            yield f"{what} is not what the calibrations measured"
    if measurement is None:
        return
    yield from _check_level(lineage, what, trial.isolation)
    if trial.fault:
        return
    seeds = len(measurement.seeds)
    if trial.number and seeds != task.seeds:
        yield f"{what} has {seeds} seeds, the campaign {task.seeds}"
    lengths = {name: len(values) for name, values in measurement.metrics.items()}
    if lengths != dict.fromkeys(task.evaluator.metrics, seeds):
        yield f"{what} lacks values of the metrics that the manifest declares"


def _check_level(lineage: Lineage, what: str, isolation: dict[str, str]) -> Iterator[str]:
    """Something measured was held by at least what the campaign asks for."""
    asked, level = lineage.campaign.isolation if lineage.campaign else "unknown", isolation.get("level")
    if asked in LEVELS and (level not in LEVELS or LEVELS.index(level) < LEVELS.index(asked)):
        yield f"{what} ran with isolation {level!r}, the campaign asks for {asked!r}"


def _check_commits(lineage: Lineage) -> Iterator[str]:
    """Every proposal and trial commit holds what the ledger says, on the parent that it names."""
    wanted = [_proposal_commit(lineage, entry) for entry in lineage.started.values()]
    wanted += [_trial_commit(lineage, trial) for trial in lineage.trials.values()]
    found = lineage.store.commits_with_files([want.commit for want in wanted])
    for want, (head, text, files, recipe) in zip(wanted, found, strict=True):
        where = f"{want.what}: {want.commit[:12]}"
        if files != want.files:
            yield f"{where} holds other files than the ledger says"
        if recipe != want.recipe:
            yield f"{where} holds another recipe than was registered"
        if head != want.head:
            yield f"{where} does not stand on the parent, or is not by the author and of the time, that it names"
        if text != want.message:
            yield f"{where} has a message that its record does not give"


class _Commit(NamedTuple):
    """A commit as the ledger describes it."""

    what: str
    commit: str
    files: dict[str, bytes]
    recipe: str
    head: list[str]
    message: str


def _proposal_commit(lineage: Lineage, entry: Started) -> _Commit:
    files = {"proposal.json": entry.proposal.canonical()}
    head = _head(lineage, entry.proposal, entry.at)
    commit = lineage.proposals[entry.number]
    return _Commit(
        f"proposal of {entry.number:04d}", commit, files, entry.proposal.snapshot, head, proposal_message(entry)
    )


def _check_notices(lineage: Lineage) -> Iterator[str]:
    """Where an edit goes beyond what its role declares follows from the two recipes."""
    trials = list(lineage.trials.values())
    for trial, found in zip(trials, lineage.notices([t.proposal for t in trials]), strict=True):
        if trial.notices != found:
            yield f"trial {trial.number:04d}: its notices are not what its edit and its role give"


def _trial_commit(lineage: Lineage, trial: Trial) -> _Commit:
    files = {"trial.json": trial.canonical()}
    if trial.number == 0:
        files["task.json"] = lineage.task.canonical()
    head = _head(lineage, trial.proposal, trial.at)
    message = trial_message(trial, lineage.task)
    commit = lineage.commits[trial.number]
    recipe = "" if trial.imported else trial.proposal.snapshot
    return _Commit(f"trial {trial.number:04d}", commit, files, recipe, head, message)


def _head(lineage: Lineage, proposal: Proposal, at: datetime) -> list[str]:
    parents = [] if proposal.parent is None else [f"parent {lineage.commits.get(proposal.parent, 'missing')}"]
    return [*parents, *Signature(proposal.specialist, at).lines()]


def _check_entries(store: Store, rows: list[Row]) -> Iterator[str]:
    """Ledger commits hold their entry and nothing else, by the evaluator."""
    for row, (head, _, files, recipe) in zip(rows, store.commits_with_files([row.commit for row in rows]), strict=True):
        by = [line for line in head if not line.startswith("parent ")]
        if files != {"entry.json": row.body} or recipe or by != Signature("evaluator", read_entry(row).at).lines():
            yield f"ledger entry {row.commit[:12]}: it holds more than its entry, or is not the evaluator's"


def _check_refs(lineage: Lineage) -> Iterator[str]:
    """Tags and branches that exist must agree with the ledger; a clone's `best` may be remote-tracking."""
    clone = lineage.store.ledger_ref() != LEDGER
    best = "refs/remotes/origin/best" if clone else BEST
    # A clone is its owner's to tag and branch; in the record itself nothing else may stand.
    mine = ("refs/heads", "refs/tags") if not clone else ("refs/tags/trial", "refs/tags/keep", best)
    found = {name: commit for name, commit in lineage.store.refs(*mine).items() if name != LEDGER}
    wanted = {best if name == BEST else name: commit for name, commit in lineage.derived_refs().items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield f"{name} is at {found.get(name, 'nothing')[:12]}, the ledger says {wanted.get(name, 'nothing')[:12]}"
