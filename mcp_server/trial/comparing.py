"""Comparing: measure a recipe in turn with the head, the anchor or the start, as the manifest's judge asks."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Comparison, Side
from lineage_repo.model.measurement import Fault, Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.snapshot import Files
from lineage_repo.verdict import rules
from lineage_repo.verdict.proofs import weakest
from mcp_server.trial.attempts import draw_turns, measure_turns
from mcp_server.trial.executor import Executor
from mcp_server.trial.job import JobResult


@dataclass
class Evidence:
    """What was measured so far of one trial or proof."""

    comparisons: list[Comparison] = field(default_factory=list[Comparison])
    fault: Fault | None = None
    attempts: int = 1
    isolation: dict[str, str] = field(default_factory=lambda: {"level": "not run"})
    reference_failed: bool = False

    def abort(self, line: str) -> None:
        """Note a failure of the harness; what was measured stays."""
        self.fault = JobResult.abort(line).fault

    def add(self, comparison: Comparison | None, result: JobResult) -> None:
        """Take in the result of one job."""
        if comparison:
            self.comparisons.append(comparison)
        # Of two strands that failed, the recipe's own fault says more than one of the harness.
        if result.fault and (self.fault is None or self.fault.status is Status.HARNESS_ABORT):
            self.fault = result.fault
        self.reference_failed = self.reference_failed or result.reference_failed
        self.attempts = max(self.attempts, result.attempts)
        known = [i for i in (self.isolation, result.isolation) if i.get("level") not in {"not run", None}]
        self.isolation = weakest(known) if known else result.isolation


class Comparer:
    """Measures comparisons in one folder and adds them to the evidence.

    Every method reads the lineage as it was last refreshed, and raises `CancelledError` if `cancelled` returned True.
    """

    def __init__(
        self, campaign: Campaign, folder: Path, executor: Executor, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self.campaign, self.folder, self.executor, self.cancelled = campaign, folder, executor, cancelled
        self.evidence = Evidence()

    def measure_start(self, files: Files, n_seeds: int) -> None:
        """Measure the start beside itself, under shared seeds."""
        turns = draw_turns(rules.order_blocks(n_seeds), shared_seeds=True)
        recipes: dict[Side, Files] = {"candidate": files, "reference": files}
        result = measure_turns(self.campaign, recipes, turns, self.folder, self.executor, cancelled=self.cancelled)
        self.evidence.add(result.comparison(shared_seeds=True), result)

    def measure_screen(self, number: int, files: Files) -> None:
        """Measure a trial's first seeds, and one of the head if it is the trial's turn."""
        lineage, task = self.campaign.lineage, self.campaign.task
        ledger = lineage.tip
        if lineage.standing is None or ledger is None:
            raise RecordError("the campaign has no baseline: run `espalier calibrate` first")
        head = lineage.standing.head
        window = lineage.window_at(head, ledger)
        sides = rules.order_screen(task.judge, number, task.n_seeds)
        result = measure_turns(
            self.campaign,
            {"candidate": files, "reference": lineage.read_recipe(head)},
            draw_turns(sides),
            self.folder,
            self.executor,
            window=window,
            noise=lineage.noise(task),
            cancelled=self.cancelled,
            guarded=True,
        )
        self.evidence.add(result.comparison(head, ledger=ledger, window=window), result)

    def measure_blocks(self, files: Files, against: int, blocks: int, *, proof: bool = False, strands: int = 1) -> None:
        """Measure blocks against a recorded trial, in `strands` slots side by side, each with blocks of its own.

        Where one strand cannot go on, or the process must end, the others end too.
        """
        lineage, ended = self.campaign.lineage, threading.Event()
        shared, ledger = lineage.shares_seeds(), lineage.tip
        recipes: dict[Side, Files] = {"candidate": files, "reference": lineage.read_recipe(against)}

        def measure(share: int, first: Side) -> JobResult:
            turns = draw_turns(rules.order_blocks(share, first=first), shared_seeds=shared)
            return measure_turns(
                self.campaign,
                recipes,
                turns,
                self.folder,
                self.executor,
                cancelled=lambda: ended.is_set() or self.cancelled(),
                guarded=True,
            )

        shares = [len(range(strand, blocks, strands)) for strand in range(min(strands, blocks))]
        # A trial's blocks are a comparison of their own; those of a proof follow one another.
        before = len(self.evidence.comparisons) if proof else 0
        begins: list[Side] = [rules.first_side(before + strand) for strand in range(len(shares))]
        if len(shares) == 1:
            results = [measure(blocks, begins[0])]
        else:
            with ThreadPoolExecutor(len(shares)) as pool:
                try:
                    results = list(pool.map(measure, shares, begins))
                except BaseException:
                    ended.set()
                    raise
        for result in results:
            self.evidence.add(result.comparison(against, shared_seeds=shared, ledger=ledger), result)
