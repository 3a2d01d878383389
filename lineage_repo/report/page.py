"""The page: one file that holds everything, asks the network for nothing, and runs no script but its own.

Text of agents enters in two ways only: through Jinja's autoescape, and in packed data, which the page's script
writes with `textContent`. A Content-Security-Policy names the hash of each script.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from importlib.resources import files
from typing import Any

from lineage_repo.model.ledger import NO_RECIPE_TREE
from lineage_repo.report.data import ReportData, TrialFacts
from lineage_repo.report.figure import Cell, Figure, Row, load
from lineage_repo.report.findings import findings, headline, tiles
from lineage_repo.report.lineage_chart import spine
from lineage_repo.report.palette import DARK, FAMILIES
from lineage_repo.report.progress_chart import X_TITLE, progress
from lineage_repo.report.role_charts import panels
from lineage_repo.report.role_table import role_rows
from lineage_repo.text.escape import escape_text
from lineage_repo.text.phrases import arm_text
from lineage_repo.text.sanitize import clip

_KEPT = 200
"""Kept trials with their diffs; the table of all trials has the others."""
_DIFF_CHARACTERS = 8_000
_DIFFS_CHARACTERS = 100_000
"""All diffs together, so that a campaign of many keeps stays one file that opens."""
_COLUMNS = (
    "t",
    "role",
    "status",
    "score",
    "vs_best",
    "vs_parent",
    "expected",
    "parent",
    "slot_h",
    "near_t",
    "near",
    "end_h",
    "spent_h",
    "lane",
)
_TEXT_CHARACTERS = 400_000
"""All hypotheses together; of longer ones the page has the beginning."""
_LEAST_TEXT = 80
_FAMILY_OF = {status.value: f.name for f in FAMILIES for status in f.members}

Tell = Callable[[str], None]


def figures(survey: ReportData) -> list[Figure]:
    """Every figure that the record supports, in order of value."""
    return [figure for figure in (progress(survey), spine(survey), *panels(survey)) if figure]


def report_page(survey: ReportData, vega: str, tell: Tell) -> str:
    """The report of one campaign as HTML, with Vega's script inside; `tell` hears what is being done."""
    tell("figures")
    made = figures(survey)
    tell("diffs of the kept trials")
    newest = survey.kept[: -_KEPT - 1 : -1]
    kept = list(zip(newest, _diffs(survey, newest), strict=True))
    campaign, objective = survey.lineage.campaign, survey.lineage.task.objective
    tell("page")
    return render(
        "report.html",
        made,
        vega,
        {"rows": _columns(survey), "families": _FAMILY_OF, "digits": objective.digits, "x_title": X_TITLE},
        title=headline(survey),
        above=_above(survey),
        imported=bool(campaign and campaign.origin),
        tiles=tiles(survey),
        findings=findings(survey),
        names={figure.name for figure in made},
        counts=[(f, sum(row.family == f.name for row in survey.trials)) for f in FAMILIES],
        roles=role_rows(survey),
        kept=kept,
        keeps=len(survey.kept),
        unit=objective.unit,
        digits=objective.digits,
        tip=survey.lineage.tip or "",
    )


def render(template: str, made: Sequence[Figure], vega: str, data: dict[str, Any], **context: Any) -> str:
    """Fill a template; the figures and `data` become the JSON that the page's script reads."""
    jinja = load("jinja2")
    environment = jinja.Environment(
        loader=jinja.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = _template("page.css")
    scripts = [vega, _template("page.js")] if made else []
    known = frozenset({"family", *data["rows"]} if "rows" in data else ())
    specs = [
        {"name": f.name, "spec": f.spec, "data": {n: columns(rows, known) for n, rows in f.data.items()}} for f in made
    ]
    policy = [
        "default-src 'none'",
        f"script-src {' '.join(_hash(script) for script in scripts) or chr(39) + 'none' + chr(39)}",
        f"style-src {_hash(style)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    markup = load("markupsafe").Markup
    return environment.get_template(template).render(
        figures=made,
        policy="; ".join(policy),
        style=markup(style),
        scripts=[markup(script) for script in scripts],
        data=packed(data | {"figures": specs, "dark": DARK}),
        **context,
    )


def _template(name: str) -> str:
    return files("lineage_repo.report").joinpath(name).read_text("utf-8")


def columns(rows: Sequence[Row], known: AbstractSet[str]) -> dict[str, list[Cell]]:
    """A data set by column; of trials without the fields that the page knows from its rows."""
    names = dict.fromkeys(name for row in rows for name in row)
    if "t" in names and all(row["t"] is not None for row in rows):
        names = {name: None for name in names if name == "t" or name not in known}
    return {name: [row.get(name) for row in rows] for name in names}


def packed(value: Any) -> str:
    """JSON as base64 of gzip, which no HTML parser can leave and which is a third as long."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _above(survey: ReportData) -> str:
    campaign = survey.lineage.campaign
    arm = arm_text(campaign.arm, read_record=campaign.read_record)
    times = [t.at for t in survey.lineage.trials.values() if t.number and not t.lacks("time")]
    span = f" \u00b7 {min(times):%F %H:%M} to {max(times):%F %H:%M} UTC" if times else ""
    return f"{campaign.name} \u00b7 {survey.lineage.task.title} \u00b7 arm {arm}{span}"


def _columns(survey: ReportData) -> dict[str, list[Any]]:
    """The rows by column: a third of the size of a list of objects."""
    digits = survey.lineage.task.objective.digits
    found: dict[str, list[Any]] = {}
    for name in _COLUMNS:
        values = [getattr(row, name) for row in survey.rows]
        found[name] = [round(v, digits + 3) if isinstance(v, float) else v for v in values]
    most = max(_LEAST_TEXT, _TEXT_CHARACTERS // max(len(survey.rows), 1))
    found["title"] = [row.title for row in survey.rows]
    found["hypothesis"] = [clip(row.hypothesis, most) for row in survey.rows]
    found["failure"] = [clip(row.failure, most) for row in survey.rows]
    return found


def _diffs(survey: ReportData, kept: Sequence[TrialFacts]) -> list[str]:
    """The edit of each against its parent; a word on why there is none."""
    lineage, left = survey.lineage, _DIFFS_CHARACTERS
    found: list[str] = []
    for row in kept:
        text = _diff(survey, row) if left > 0 else f"left out: espalier diff DIR {row.parent} {row.t} shows it"
        if len(text) > _DIFF_CHARACTERS:
            cut = text[:_DIFF_CHARACTERS].rpartition("\n")[0]
            text = f"{cut}\n... {len(text) - len(cut):,} more characters: git show {lineage.commits[row.t][:12]}"
        left -= len(text)
        found.append(text)
    return found


def _diff(survey: ReportData, row: TrialFacts) -> str:
    before = survey.lineage.trials[row.parent].proposal.recipe_tree if row.parent is not None else NO_RECIPE_TREE
    after = survey.lineage.trials[row.t].proposal.recipe_tree
    if NO_RECIPE_TREE in {before, after}:
        return "no diff: the trial was imported without its code"
    text = survey.lineage.store.diff(before, after) or "the recipe is its parent's, unchanged"
    # Characters that reorder or hide code are shown as what they are.
    return escape_text(text)
