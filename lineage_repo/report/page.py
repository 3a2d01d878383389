"""The page: one file that holds everything, asks the network for nothing, and runs no script but its own.

Text of agents enters in two ways only: through Jinja's autoescape, and in packed data, which the page's script
writes with `textContent`. A Content-Security-Policy names the hash of each script.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from lineage_repo.model.ledger import NO_RECIPE_TREE
from lineage_repo.model.status_table import FAMILIES
from lineage_repo.progress import report_progress
from lineage_repo.report.cost_charts import draw_price, draw_slots
from lineage_repo.report.data import ReportData, TrialFacts
from lineage_repo.report.figure import Cell, Figure, Row, load, read_resource
from lineage_repo.report.limit_charts import draw_calibration, draw_margins
from lineage_repo.report.lineage_chart import draw_lineage
from lineage_repo.report.palette import DARK
from lineage_repo.report.progress_chart import X_TITLE, draw_progress
from lineage_repo.report.proof_table import build_leaderboard, build_proof_rows
from lineage_repo.report.remarks import collect_remarks, collect_tiles, write_headline
from lineage_repo.report.role_charts import draw_matrix, draw_mix, draw_novelty
from lineage_repo.report.role_table import build_role_rows
from lineage_repo.text.escape import escape_text
from lineage_repo.text.phrases import arm_text
from lineage_repo.text.sanitize import clip

_KEPT = 200
"""Kept trials with their diffs; the table of all trials has the others."""
_DIFF_CHARACTERS = 8_000
_DIFFS_CHARACTERS = 100_000
"""All diffs together, so that a campaign of many keeps stays one file that opens."""
_COLUMNS = (
    *("t", "role", "status", "score", "gain", "low", "high", "against", "finding", "total", "total_low", "total_high"),
    *("claim", "expected", "parent", "slot_h", "near_t", "near", "end_h", "spent_h", "lane"),
)
_TEXT_CHARACTERS = 400_000
"""All hypotheses together; of longer ones the page has the beginning."""
_LEAST_TEXT = 80
_FAMILY_OF = {status: f.name for f in FAMILIES for status in f.members}


def draw_figures(data: ReportData) -> list[Figure]:
    """Draw every figure that the record supports, in order of value."""
    figures = [draw_progress(data), draw_lineage(data), draw_matrix(data), draw_mix(data), *draw_margins(data)]
    figures += [draw_calibration(data), draw_novelty(data), draw_price(data), draw_slots(data)]
    return [figure for figure in figures if figure]


def render_report(data: ReportData, vega: str) -> str:
    """Render the report of one campaign as HTML, with Vega's script inside."""
    report_progress("figures ...")
    figures = draw_figures(data)
    report_progress("diffs of the kept trials ...")
    newest = data.kept[: -_KEPT - 1 : -1]
    kept = list(zip(newest, _show_diffs(data, newest), strict=True))
    objective = data.objective
    report_progress("page ...")
    return render_page(
        "report.html",
        figures,
        vega,
        {"rows": _pack_trials(data), "families": _FAMILY_OF, "digits": objective.digits, "x_title": X_TITLE},
        title=write_headline(data),
        above=_describe_campaign(data),
        imported=data.lineage.is_imported,
        tiles=collect_tiles(data),
        remarks=collect_remarks(data),
        names={figure.name for figure in figures},
        counts=[(f, sum(row.family == f.name for row in data.trials)) for f in FAMILIES],
        roles=build_role_rows(data),
        proofs=build_proof_rows(data),
        leaders=build_leaderboard(data),
        kept=kept,
        keeps=len(data.kept),
        unit=objective.unit,
        digits=objective.digits,
        tip=data.lineage.tip or "",
    )


def render_page(template: str, figures: Sequence[Figure], vega: str, data: dict[str, Any], **context: Any) -> str:
    """Fill a template; the figures and `data` become the JSON that the page's script reads."""
    jinja = load("jinja2")
    environment = jinja.Environment(
        loader=jinja.FunctionLoader(read_resource),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = read_resource("page.css")
    scripts = [vega, read_resource("page.js")] if figures else []
    known = frozenset({"family", *data["rows"]} if "rows" in data else ())
    specs = [
        {"name": f.name, "spec": f.spec, "data": {name: to_columns(rows, known) for name, rows in f.data.items()}}
        for f in figures
    ]
    policy = [
        "default-src 'none'",
        f"script-src {' '.join(map(_hash, scripts)) or chr(39) + 'none' + chr(39)}",
        f"style-src {_hash(style)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    markup = load("markupsafe").Markup
    return environment.get_template(template).render(
        figures=figures,
        policy="; ".join(policy),
        style=markup(style),
        scripts=[markup(script) for script in scripts],
        data=pack(data | {"figures": specs, "dark": DARK}),
        **context,
    )


def to_columns(rows: Sequence[Row], known: AbstractSet[str]) -> dict[str, list[Cell]]:
    """Turn a data set into columns; if each row is a trial, without the fields that the page knows from its rows."""
    names = dict.fromkeys(name for row in rows for name in row)
    if "t" in names and all(row["t"] is not None for row in rows):
        names = {name: None for name in names if name == "t" or name not in known}
    return {name: [row.get(name) for row in rows] for name in names}


def pack(value: Any) -> str:
    """Pack JSON as base64 of gzip: a third as long, and no HTML parser can leave it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _describe_campaign(data: ReportData) -> str:
    campaign = data.lineage.campaign
    arm = arm_text(campaign.arm, read_record=campaign.read_record)
    times = [t.at for t in data.lineage.trials.values() if t.number and not t.lacks("time")]
    span = f" \u00b7 {min(times):%F %H:%M} to {max(times):%F %H:%M} UTC" if times else ""
    return f"{campaign.name} \u00b7 {data.lineage.task.title} \u00b7 arm {arm}{span}"


def _pack_trials(data: ReportData) -> dict[str, list[Any]]:
    """The rows by column: a third of the size of a list of objects."""
    digits = data.objective.digits
    columns: dict[str, list[Any]] = {}
    for name in _COLUMNS:
        values = [getattr(row, name) for row in data.rows]
        columns[name] = [round(v, digits + 3) if isinstance(v, float) else v for v in values]
    most = max(_LEAST_TEXT, _TEXT_CHARACTERS // max(len(data.rows), 1))
    columns["title"] = [row.title for row in data.rows]
    columns["hypothesis"] = [clip(row.hypothesis, most) for row in data.rows]
    columns["failure"] = [clip(row.failure, most) for row in data.rows]
    return columns


def _show_diffs(data: ReportData, kept: Sequence[TrialFacts]) -> list[str]:
    """The edit of each against its parent, or a word on why there is none."""
    diffs: list[str] = []
    room = _DIFFS_CHARACTERS
    for row in kept:
        text = _show_diff(data, row) if room > 0 else f"left out: espalier diff DIR {row.parent} {row.t} shows it"
        if len(text) > _DIFF_CHARACTERS:
            cut = text[:_DIFF_CHARACTERS].rpartition("\n")[0]
            commit = data.lineage.commits[row.t][:12]
            text = f"{cut}\n... {len(text) - len(cut):,} more characters: git show {commit}"
        room -= len(text)
        diffs.append(text)
    return diffs


def _show_diff(data: ReportData, row: TrialFacts) -> str:
    trials = data.lineage.trials
    before = NO_RECIPE_TREE if row.parent is None else trials[row.parent].proposal.recipe_tree
    after = trials[row.t].proposal.recipe_tree
    if NO_RECIPE_TREE in {before, after}:
        return "no diff: the trial was imported without its code"
    text = data.lineage.store.diff(before, after) or "the recipe is its parent's, unchanged"
    # Characters that reorder or hide code are shown as what they are.
    return escape_text(text)
