"""Verify a lineage offline: the chain, the commits, the refs, and every verdict again."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from lineage_repo.errors import EspalierError
from lineage_repo.model.ledger import Calibration, CampaignEntry, Certification, Entry, Incumbent, Started, Trial
from lineage_repo.model.measurement import LEVELS, Measurement, Record, Spread
from lineage_repo.record.imported import take_over
from lineage_repo.record.index import read_entry
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.store import Row, Store
from lineage_repo.verdict.judge import JUDGE_VERSION, judge, pool_measurements
from lineage_repo.verification import certifications, commits, foreign


class Verification(Record):
    """What `verify` found; empty `problems` means that the record holds."""

    tip: str | None
    entries: int
    trials: int
    keeps: int
    unfinished: tuple[int, ...]
    imported: bool
    """Whether another harness made the trials: then its verdicts are checked as taken over, not replayed."""
    problems: tuple[str, ...]


def verify(store: Store, *, full: bool = True) -> Verification:
    """Check a campaign's repository or any clone of it; whatever is wrong with it is named, and nothing raises."""
    problems = [wrong] if (wrong := store.fsck(full=full)) else []
    lineage, rows = Lineage(store), list[Row]()
    problems += _told("repository", lambda: foreign.beside(store))
    problems += _told("ledger", lambda: _walked(lineage, rows))
    if rows:
        problems += _told("commits", lambda: commits.check(lineage))
        problems += _told("notices", lambda: _check_notices(lineage))
        problems += _told("edits", lambda: foreign.edits(lineage))
        problems += _told("refs", lambda: foreign.refs(lineage))
        problems += _told("trees", lambda: foreign.trees(lineage, rows))
    return Verification(
        tip=rows[-1].commit if rows else None,
        entries=len(rows),
        trials=len(lineage.trials),
        problems=tuple(problems),
        keeps=sum(t.status == "keep" for t in lineage.trials.values()),
        unfinished=tuple(e.number for e in lineage.running()),
        imported=not lineage.is_empty and lineage.is_imported,
    )


def _told(where: str, check: Callable[[], Iterable[str]]) -> list[str]:
    found: list[str] = []
    try:
        found.extend(check())
    except EspalierError as error:
        found.append(f"{where}: {error}")
    except Exception as error:  # a bent record may break any check, and is to be named all the same
        found.append(f"{where}: can't be checked, {type(error).__name__}: {error}")
    return found


def _walked(lineage: Lineage, rows: list[Row]) -> Iterator[str]:
    """Check each entry against those before it; what comes after one that nobody can read is not looked at."""
    rows += lineage.store.rows()
    if not rows:
        yield f"{lineage.store.path} has no ledger"
    before = None
    for row, found in zip(rows, lineage.store.commits_with_files([row.commit for row in rows]), strict=True):
        entry = read_entry(row)
        where = f"ledger entry {row.commit[:12]}"
        yield from _told(where, partial(commits.check_link, lineage, row, entry, before, found))
        yield from _told(where, partial(_check_entry, lineage, row, entry))
        lineage.fold(row, entry)
        before = row


def _check_entry(lineage: Lineage, row: Row, entry: Entry) -> Iterator[str]:
    where = f"ledger entry {row.commit[:12]}"
    if isinstance(entry, CampaignEntry) != lineage.is_empty:
        yield f"{where}: the ledger must begin with one campaign entry, and hold one only"
    if entry.canonical() != row.body:
        yield f"{where}: its JSON is not in canonical form"
    if not isinstance(entry, CampaignEntry) and lineage.is_imported:
        yield from _check_imported(lineage, where, entry)
        return
    if isinstance(entry, Started):
        if entry.number != len(lineage.started):
            yield f"{where}: starts trial {entry.number:04d}, but {len(lineage.started):04d} is next"
        if entry.proposal.parent is not None and entry.proposal.parent not in lineage.trials:
            yield f"{where}: trial {entry.number:04d} is rooted from {entry.proposal.parent:04d}, not recorded then"
    if isinstance(entry, Calibration):
        yield from _check_level(lineage, where, entry.isolation)
        yield from _check_calibration(lineage, where, entry.measurement)
    if isinstance(entry, Certification):
        yield from _check_level(lineage, where, entry.isolation)
        yield from certifications.check(lineage, where, entry)
    if isinstance(entry, Trial):
        if entry.imported:
            yield f"{where}: trial {entry.number:04d} is imported, its lineage is not"
        yield from _check_trial(lineage, where, entry)


def _check_calibration(lineage: Lineage, where: str, measurement: Measurement) -> Iterator[str]:
    """It is of the start as the first one was, with the seeds of a trial: more of them would make noise look known."""
    task, seeds = lineage.task, len(measurement.box_seeds)
    if measurement.values_per_metric() != dict.fromkeys(task.evaluator.metrics, seeds):
        yield f"{where}: the calibration lacks values of the metrics that the manifest declares"
    if seeds != task.n_seeds:
        yield f"{where}: the calibration has {seeds} seeds, the campaign {task.n_seeds}"
    known = next((c.measurement.source_bytes for c in lineage.calibrations), measurement.source_bytes)
    if measurement.source_bytes != known:
        yield f"{where}: the calibration weighed {measurement.source_bytes} bytes, the first {known}: another recipe"


def _check_imported(
    lineage: Lineage, where: str, entry: Calibration | Started | Trial | Certification
) -> Iterator[str]:
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
    elif entry != take_over(lineage, entry.number, entry.proposal, entry.imported, entry.at):
        yield f"{what} says more than was imported, or what does not follow from it"


def _check_trial(lineage: Lineage, where: str, trial: Trial) -> Iterator[str]:
    what = f"{where}: trial {trial.number:04d}"
    started = lineage.started.get(trial.number)
    if started is None:
        yield f"{what} has an outcome but was never started"
        return
    if trial.number in lineage.trials:
        yield f"{what} has a second outcome"
    if (trial.proposal, trial.digests, trial.registered_at) != (started.proposal, started.digests, started.at):
        yield f"{what} claims another proposal than was registered"
    task = lineage.task
    if trial.incumbent != lineage.incumbent():
        yield f"{what} was judged against {_brief(trial.incumbent)}, but the best was {_brief(lineage.incumbent())}"
    yield from _check_measurement(lineage, what, trial)
    if trial.number and trial.noise != _noise(lineage, trial):
        yield f"{what} was judged with a noise that the calibrations don't give"
    parent = trial.proposal.parent
    if trial.parent_score != (lineage.trials[parent].score if parent in lineage.trials else None):
        yield f"{what} compares with a parent score that its parent doesn't have"
    if trial.judge_version != JUDGE_VERSION:
        yield f"{what} was judged by version {trial.judge_version}, which version {JUDGE_VERSION} can't replay"
    elif not trial.verdict.alike(
        judge(task, trial.measurement, trial.fault, trial.incumbent, trial.parent_score, trial.noise)
    ):
        yield f"{what} says {trial.status}, which its measurement does not replay to"


def _noise(lineage: Lineage, trial: Trial) -> dict[str, Spread]:
    """What the calibrations give of what decides and of what the trial says: an earlier version measured less."""
    task = lineage.task
    decides = {task.objective.metric, *(gate.metric for gate in task.gates)}
    return {name: known for name, known in lineage.noise(task).items() if name in decides or name in trial.noise}


def _brief(incumbent: Incumbent | None) -> str:
    return "nothing" if incumbent is None else f"{incumbent.number:04d} ({incumbent.score}, {incumbent.n_seeds} seeds)"


def _check_measurement(lineage: Lineage, what: str, trial: Trial) -> Iterator[str]:
    """The record of a trial fits the campaign that it belongs to."""
    campaign, task, measurement = lineage.campaign, lineage.task, trial.measurement
    if {k: v for k, v in trial.digests.items() if k != "brief"} != campaign.digests:
        yield f"{what} was measured with other digests than the campaign's"
    if trial.proposal.specialist not in {*lineage.roster, "start"}:
        yield f"{what} is by {trial.proposal.specialist!r}, whom the campaign doesn't have"
    if not trial.registered_at <= trial.at:
        yield f"{what} ended before it started"
    if trial.number == 0:
        if trial.proposal.recipe_tree != campaign.start_tree:
            yield f"{what} is not the start that the campaign froze"
        if measurement != pool_measurements([c.measurement for c in lineage.calibrations]):
            yield f"{what} is not what the calibrations measured"
    if measurement is None:
        return
    yield from _check_level(lineage, what, trial.isolation)
    if trial.fault:
        return
    seeds = len(measurement.box_seeds)
    if trial.number and seeds != task.n_seeds:
        yield f"{what} has {seeds} seeds, the campaign {task.n_seeds}"
    if measurement.values_per_metric() != dict.fromkeys(task.evaluator.metrics, seeds):
        yield f"{what} lacks values of the metrics that the manifest declares"


def _check_level(lineage: Lineage, what: str, isolation: dict[str, str]) -> Iterator[str]:
    """Something measured was held by at least what the campaign asks for."""
    asked, level = lineage.campaign.isolation, isolation.get("level")
    if asked in LEVELS and (level not in LEVELS or LEVELS.index(level) < LEVELS.index(asked)):
        yield f"{what} ran with isolation {level!r}, the campaign asks for {asked!r}"


def _check_notices(lineage: Lineage) -> Iterator[str]:
    """Where an edit goes beyond what its role declares follows from the two recipes."""
    trials = list(lineage.trials.values())
    for trial, found in zip(trials, lineage.notices([t.proposal for t in trials]), strict=True):
        if trial.notices != found:
            yield f"trial {trial.number:04d}: its notices are not what its edit and its role give"
