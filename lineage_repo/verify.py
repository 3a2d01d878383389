"""Verify a lineage offline: the chain, the commits, the refs, and every verdict again."""

from collections.abc import Iterator

from lineage_repo.judge import JUDGE_VERSION, judge
from lineage_repo.lineage import Lineage, read_entry
from lineage_repo.message import proposal_message, trial_message
from lineage_repo.records import Calibration, CampaignEntry, Proposal, Record, Started, Trial
from lineage_repo.store import BEST, LEDGER, Row, Store, StoreError


class Report(Record):
    """What `verify` found; empty `problems` means that the record holds."""

    tip: str | None
    entries: int
    trials: int
    keeps: int
    unfinished: tuple[int, ...]
    problems: tuple[str, ...]


def verify(store: Store, *, full: bool = True) -> Report:
    """Check a campaign's repository or any clone of it."""
    problems = [wrong] if (wrong := store.fsck(full=full)) else []
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
            problems += _check_refs(lineage)
    except (StoreError, ValueError) as error:
        problems.append(str(error))
    return Report(
        tip=rows[-1].commit if rows else None,
        entries=len(rows),
        trials=len(lineage.trials),
        problems=tuple(problems),
        keeps=sum(t.status == "keep" for t in lineage.trials.values()),
        unfinished=tuple(e.number for e in lineage.running()),
    )


def _check_entry(lineage: Lineage, row: Row, entry: CampaignEntry | Calibration | Started | Trial) -> Iterator[str]:
    where = f"ledger entry {row.commit[:12]}"
    if isinstance(entry, CampaignEntry) != (lineage.campaign is None):
        yield f"{where}: the ledger must begin with one campaign entry, and hold one only"
    if entry.canonical() != row.body:
        yield f"{where}: its JSON is not in canonical form"
    if isinstance(entry, Started):
        if entry.number != len(lineage.started):
            yield f"{where}: starts trial {entry.number:04d}, but {len(lineage.started):04d} is next"
        if entry.proposal.parent is not None and entry.proposal.parent not in lineage.trials:
            yield f"{where}: trial {entry.number:04d} is rooted from {entry.proposal.parent:04d}, not recorded then"
    if isinstance(entry, Trial):
        yield from _check_trial(lineage, where, entry)


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
    best = lineage.best
    if (best.number if best else None) != (trial.incumbent.number if trial.incumbent else None):
        yield f"{what} was judged against {trial.incumbent}, but the best was {best.number if best else None}"
    elif best and trial.incumbent and (best.score != trial.incumbent.score):
        yield f"{what} was judged against a score of {trial.incumbent.score}, but the best had {best.score}"
    if trial.number and trial.noise != lineage.noise(task):
        yield f"{what} was judged with a noise that the calibrations don't give"
    parent = trial.proposal.parent
    if trial.parent_score != (None if parent is None else lineage.trials[parent].score):
        yield f"{what} compares with a parent score that its parent doesn't have"
    if trial.judge_version != JUDGE_VERSION:
        yield f"{what} was judged by version {trial.judge_version}, which version {JUDGE_VERSION} can't replay"
    elif judge(task, trial.measurement, trial.fault, trial.incumbent, trial.parent_score, trial.noise) != trial.outcome:
        yield f"{what} says {trial.status}, which its measurement does not replay to"


def _check_commits(lineage: Lineage) -> Iterator[str]:
    """Every proposal and trial commit holds what the ledger says, on the parent that it names."""
    store, task = lineage.store, lineage.task
    wanted: list[tuple[str, str, str, bytes, list[str], str]] = []
    for number, entry in lineage.started.items():
        parents = [] if entry.proposal.parent is None else [lineage.commits[entry.proposal.parent]]
        body = entry.proposal.canonical()
        wanted.append(
            (
                f"proposal of {number:04d}",
                lineage.proposals[number],
                "proposal.json",
                body,
                parents,
                proposal_message(entry),
            )
        )
        if trial := lineage.trials.get(number):
            wanted.append(
                (
                    f"trial {number:04d}",
                    lineage.commits[number],
                    "trial.json",
                    trial.canonical(),
                    parents,
                    trial_message(trial, task),
                )
            )
    raw = store.blobs([commit for _, commit, *_ in wanted])
    bodies = store.blobs([f"{commit}:{name}" for _, commit, name, *_ in wanted])
    recipes = store.run(
        "cat-file", "--batch-check=%(objectname)", stdin="".join(f"{c}:recipe\n" for _, c, *_ in wanted).encode()
    )
    for (what, commit, name, body, parents, message), found, held, recipe in zip(
        wanted, raw, bodies, recipes.decode().splitlines(), strict=True
    ):
        head, _, text = found.decode().partition("\n\n")
        if held != body:
            yield f"{what}: {commit[:12]} holds another {name} than the ledger"
        if [line.split()[1] for line in head.splitlines() if line.startswith("parent ")] != parents:
            yield f"{what}: {commit[:12]} does not stand on the parent that it names"
        if recipe != Proposal.model_validate_json(body if name == "proposal.json" else _proposal(body)).snapshot:
            yield f"{what}: {commit[:12]} holds another recipe than was registered"
        if text != message:
            yield f"{what}: {commit[:12]} has a message that its record does not give"


def _proposal(body: bytes) -> bytes:
    return Trial.model_validate_json(body).proposal.canonical()


def _check_refs(lineage: Lineage) -> Iterator[str]:
    """Tags and branches that exist must agree with the ledger; a clone's `best` may be remote-tracking."""
    clone = lineage.store.ledger_ref() != LEDGER
    best = "refs/remotes/origin/best" if clone else BEST
    found = lineage.store.refs("refs/tags/trial", "refs/tags/keep", best)
    wanted = {best if name == BEST else name: commit for name, commit in lineage.derived_refs().items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield f"{name} is at {found.get(name, 'nothing')[:12]}, the ledger says {wanted.get(name, 'nothing')[:12]}"
