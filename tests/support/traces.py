"""Foreign campaigns for tests: the paper's released traces, if they are at hand, and small made-up ones."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lineage_repo.interchange.importing import import_trace
from lineage_repo.interchange.jsonl import CampaignLine, Trace, TrialLine
from lineage_repo.model.measurement import Status
from lineage_repo.model.objective import Gate, Objective
from lineage_repo.record.lineage import Lineage

SHARED = Path(os.environ.get("ESPALIER_SHARED", Path(__file__).parents[3] / "shared"))
RELEASE = SHARED / "data" / "paper_traces"
needs_release = pytest.mark.skipif(not RELEASE.is_dir(), reason="the paper's traces are not at $ESPALIER_SHARED")
START = datetime(2026, 5, 1, tzinfo=UTC)


def line(number: int, score: float | None = None, status: Status | None = None, **changed: object) -> TrialLine:
    """Build trial `number`, half an hour after the previous one; number 0 is the start."""
    default = Status.BASELINE if number == 0 else Status.DISCARD if score is not None else Status.CRASH
    fields: Mapping[str, object] = {
        "id": f"t{number}",
        "at": START + timedelta(minutes=30 * number),
        "parent": f"t{number - 1}" if number else None,
        "role": f"role{number % 2}",
        "status": status or default,
        "hypothesis": f"Change number {number} makes the layer wider",
        "expected_delta": -0.1,
        "values": {} if score is None else {"loss": score},
        "slot_s": 1200.0,
    }
    return TrialLine.model_validate({**fields, **changed})


def trace(*trials: TrialLine, limits: tuple[Gate, ...] = ()) -> Trace:
    """Build a campaign that lowers a loss."""
    objective = Objective(metric="loss", direction="lower", unit="nats")
    return Trace(CampaignLine(name="small", title="A small campaign", objective=objective, limits=limits), trials, {})


def small(folder: Path, *trials: TrialLine, limits: tuple[Gate, ...] = ()) -> Lineage:
    """Import a small campaign of these trials."""
    return import_trace(trace(*trials, limits=limits), folder)
