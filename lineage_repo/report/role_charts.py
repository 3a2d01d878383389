"""Figures of who builds on whom, what became of trials, and how new each proposal is."""

from collections import Counter
from statistics import median

from lineage_repo.analysis.diversity import NEAR
from lineage_repo.model.measurement import Status
from lineage_repo.model.status_table import FAMILIES
from lineage_repo.report.data import ReportData
from lineage_repo.report.figure import Figure, Row, fill_figure, round_value, to_row


def draw_matrix(data: ReportData) -> Figure | None:
    """Draw who builds on whom; None if fewer than two roles build on a trial."""
    role = {row.t: row.role if row.t else "start" for row in data.rows}
    pairs = [(role[row.parent], row) for row in data.trials if row.parent in role]
    if len({row.role for _, row in pairs}) < 2:
        return None
    attempts = Counter((parent, row.role) for parent, row in pairs)
    keeps = Counter((parent, row.role) for parent, row in pairs if row.status is Status.KEEP)
    names = list(dict.fromkeys(row.role for row in data.trials))
    rows: list[Row] = [
        {"parent": parent, "child": child, "attempts": n, "keeps": keeps[parent, child]}
        for (parent, child), n in attempts.items()
    ]
    own = sum(n for (parent, _), n in keeps.items() if parent != "start")
    crossing = sum(n for (parent, child), n in keeps.items() if parent not in {"start", child})
    return fill_figure(
        "matrix",
        {"matrix": rows},
        height=60 + 24 * len(names),
        children=names,
        parents=["start", *names],
        most_attempts=max(attempts.values()),
        own=own,
        crossing=crossing,
    )


def draw_mix(data: ReportData) -> Figure | None:
    """Draw what became of trials over time; None without trials."""
    trials = data.trials
    if not trials:
        return None
    size = max(1, -(-len(trials) // 30))
    rows: list[Row] = []
    for start in range(0, len(trials), size):
        part = trials[start : start + size]
        counts = Counter(row.family for row in part)
        below = 0.0
        for family in FAMILIES:
            if n := counts[family.name]:
                top = below + n / len(part)
                rows.append({"family": family.name, "a": part[0].t, "b": part[-1].t + 1, "n": n, "y": below, "y2": top})
                below = top
    text = f"Share of each outcome among {size} trials at a time." if size > 1 else "What became of each trial."
    return fill_figure("mix", {"mix": rows}, text=text)


def draw_novelty(data: ReportData) -> Figure | None:
    """Draw how similar each hypothesis is to an earlier one; None if that was not computed."""
    rows = [row for row in data.trials if row.near is not None]
    if len(rows) < 2:
        return None
    near = [row.near or 0.0 for row in rows]
    rolling: list[Row] = [
        {"t": rows[i].t, "y": round_value(median(near[max(0, i - 24) : i + 1]))}
        for i in range(0, len(rows), max(1, len(rows) // 300))
    ]
    repeats = sum(value >= NEAR for value in near)
    limit: list[Row] = [{"y": NEAR}]
    sets = {"novelty": [to_row(row, "near", "near_t") for row in rows], "rolling": rolling, "repeat": limit}
    return fill_figure("novelty", sets, repeats=repeats, trials=len(rows), near=NEAR)
