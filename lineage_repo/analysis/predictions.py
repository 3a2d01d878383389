"""Expected against measured changes."""

from statistics import median

from lineage_repo.analysis.support import format_share, list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.measurement import Record, Status
from lineage_repo.record.lineage import Lineage


class Predictions(Record):
    """How well expected deltas are calibrated, over scored trials with a prediction and a scored parent.

    Deltas are signed, in the objective's unit, against the parent. `expected_gain` counts predictions of an
    improvement, `gained` trials that improved on their parent, `kept` those that became the best. `right_side` counts
    trials whose prediction and measurement have the same sign.
    """

    trials: int
    expected_gain: int
    gained: int
    kept: int
    right_side: int
    median_expected: float
    median_measured: float

    def lines(self) -> list[str]:
        """Format for people."""
        return [
            f"a gain was expected in {format_share(self.expected_gain, self.trials)}",
            f"measured against the parent in {format_share(self.gained, self.trials)}, kept {self.kept}",
            f"the sign was right in {format_share(self.right_side, self.trials)}",
            f"median expected {self.median_expected:+.6g}, median measured {self.median_measured:+.6g}",
        ]


def compute_predictions(lineage: Lineage) -> Predictions:
    """Compare predictions and measurements; raise `UnsupportedError` if no trial has both."""
    gain = lineage.task.objective.gain
    pairs = [
        (trial.proposal.expected_delta, trial.verdict.delta_vs_parent, trial.status)
        for trial in list_trials(lineage)
        if trial.verdict.delta_vs_parent is not None and not trial.lacks("expected_delta")
    ]
    if not pairs:
        raise UnsupportedError("no trial has a prediction, a score and a scored parent")
    return Predictions(
        trials=len(pairs),
        expected_gain=sum(gain(expected, 0.0) > 0 for expected, _, _ in pairs),
        gained=sum(gain(measured, 0.0) > 0 for _, measured, _ in pairs),
        kept=sum(status is Status.KEEP for *_, status in pairs),
        right_side=sum(expected * measured > 0 for expected, measured, _ in pairs),
        median_expected=median(expected for expected, _, _ in pairs),
        median_measured=median(measured for _, measured, _ in pairs),
    )
