"""The sections of an opening message: headings with rows, shown whole or not at all."""

import json
from collections.abc import Callable, Iterator, Sequence

from lineage_repo.model.ledger import Registration, Trial
from lineage_repo.model.measurement import Record
from lineage_repo.model.objective import Objective
from lineage_repo.prompting import queries
from lineage_repo.prompting.saturation import Saturation, measure_saturation
from lineage_repo.record.claims import Claims
from lineage_repo.record.lineage import Lineage
from lineage_repo.text.sanitize import clip

_COMPARED = 3
"""How many of a role's latest trials are compared with earlier ones."""
_ALIKE = 0.3
"""Two proposals resemble each other from this share of common words on."""
_NOTE = 90
"""Characters kept free in every section for the line that says how much was dropped."""


class Section(Record):
    """A heading with rows, the most important first; rows are shown whole or not at all."""

    title: str
    rows: tuple[str, ...]
    more: int = 0
    """Rows that exist beyond these."""
    where: str
    """Which tool shows the rest, or why none does."""

    def text(self, shown: int) -> str:
        """The section with its first `shown` rows."""
        dropped = len(self.rows) - shown + self.more
        note = [f"({dropped} more not shown: {self.where})"] if dropped else []
        return "\n".join([f"## {self.title}", *self.rows[:shown], *note])


def fit(sections: Sequence[Section], room: int) -> list[int]:
    """Return how many rows of each section fit into `room` characters: one row each in turn, so no section starves."""
    counts = [0] * len(sections)
    room -= sum(len(s.title) + len("## \n\n\n") + _NOTE for s in sections if s.rows)
    closed = {i for i, section in enumerate(sections) if not section.rows}
    while len(closed) < len(sections):
        for i, section in enumerate(sections):
            if i in closed:
                continue
            size = len(section.rows[counts[i]]) + 1
            if size > room:
                closed.add(i)
                continue
            room -= size
            counts[i] += 1
            if counts[i] == len(section.rows):
                closed.add(i)
    return counts


def sections(lineage: Lineage, specialist: str) -> list[Section]:
    """Read from the record what `specialist` should know; sections without rows are included."""
    head, objective, claims = lineage.head, lineage.task.objective, Claims(lineage)
    own, failed, board = queries.role(lineage, specialist), queries.failures(lineage), queries.leaderboard(lineage)
    chain = queries.ancestry(lineage, head.number) if head else []
    near = lineage.roster[specialist].neighbours
    others = [t for t in queries.recent(lineage) if t.proposal.specialist in near]
    running = [_running_row(entry) for entry in lineage.running()]

    def row(trial: Trial) -> str:
        return _row(trial, claims, objective, 0)

    margins = head.verdict.margins if head else ()
    return [
        Section(
            title="The head, to build on",
            rows=tuple(_row(t, claims, objective, 800) for t in chain[:1]),
            where=_view("head"),
        ),
        Section(
            title="Margins of the head at every gate and limit",
            rows=tuple(f"- {queries.margin_text(lineage.task, margin)}" for margin in margins),
            where="size_project()",
        ),
        _table("Ancestors of the head, nearest first", chain[1:], 6, row, "ancestry"),
        Section(
            title="Leaderboard: by what is proven, ties share a rank",
            rows=tuple(f"{rank}. {_row(trial, claims, objective, 0)[2:]}" for rank, trial in board[:10]),
            more=len(board[10:]),
            where=_view("leaderboard"),
        ),
        _table(
            "Your own role's trials, newest first", own, 12, lambda trial: _row(trial, claims, objective, 240), "role"
        ),
        Section(
            title="What your latest proposals resemble",
            rows=tuple(_resemblances(lineage, own[:_COMPARED], objective)),
            where=_view("similar"),
        ),
        _table(
            f"Trials of your neighbours ({clip(', '.join(near), 80)}), newest first",
            others,
            8,
            row,
            "recent",
        ),
        _table("Failures, newest first", failed, 8, row, "failures"),
        Section(
            title="Saturation: what trials still gain",
            rows=tuple(_gains(row, objective) for row in measure_saturation(lineage) if lineage.trials.keys() - {0}),
            where=_view("role"),
        ),
        Section(
            title="Running now: proposals, not evidence",
            rows=tuple(running[:8]),
            more=len(running[8:]),
            where="no tool shows what runs",
        ),
    ]


def _table(title: str, trials: list[Trial], most: int, row: Callable[[Trial], str], view: str) -> Section:
    rows = tuple(row(trial) for trial in trials[:most])
    return Section(title=title, rows=rows, more=len(trials[most:]), where=_view(view))


def _view(view: str) -> str:
    return f"read_lineage(view={view})"


def _row(trial: Trial, claims: Claims, objective: Objective, width: int) -> str:
    """Write one trial, with `width` characters of its hypothesis."""
    proposal, verdict, claim = trial.proposal, trial.verdict, claims.of(trial.number)
    facts = [f"- {trial.number:04d} {verdict.status} {objective.text(verdict.score)}"]
    if gain := queries.gain_text(objective, verdict):
        facts.append(f"({gain}{f', {claim.level}' if claim.level else ''})")
    if claim.demoted_by is not None:
        facts.append(f"(demoted: proof {claim.demoted_by} found no gain)")
    if proposal.parent is not None:
        facts.append(f"from {proposal.parent:04d}, expected {proposal.expected_delta:+.3g}")
    facts.append(f"by {proposal.specialist}: {quote(proposal.title)}")
    if width and proposal.hypothesis:
        facts.append(f"because {quote(clip(proposal.hypothesis, width))}")
    if verdict.failure:
        facts.append(f"failed: {quote(clip(verdict.failure, 200))}")
    return " ".join(facts)


def _resemblances(lineage: Lineage, own: list[Trial], objective: Objective) -> Iterator[str]:
    """Write a row for each of a role's trials whose proposal resembles an earlier one."""
    for trial, (share, earlier) in zip(own, queries.find_nearest_earlier(lineage, own), strict=True):
        if share >= _ALIKE:
            yield (
                f"- your {trial.number:04d} {quote(trial.proposal.title)} shares {share:.0%} of its words with "
                f"{earlier.number:04d} {earlier.status} {objective.text(earlier.score)} "
                f"by {earlier.proposal.specialist}: {quote(earlier.proposal.title)}"
            )


def _gains(row: Saturation, objective: Objective) -> str:
    head = f"- {row.who}: {row.trials} trials, {row.keeps} keeps"
    if not row.keeps:
        return head
    gains = "; ".join(objective.gain_text(gain) for gain in row.gains)
    return f"{head}, {row.since} trials since the last; the last keeps gained, newest first, {gains}"


def _running_row(started: Registration) -> str:
    return f"- {started.number:04d} by {started.proposal.specialist}: {quote(started.proposal.title)}"


def quote(text: str) -> str:
    """Write somebody else's text as one JSON string that no markup can leave."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
