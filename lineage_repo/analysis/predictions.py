"""Expected against measured gains."""

from statistics import median

from lineage_repo.analysis.facts import find_gain_over_parent
from lineage_repo.analysis.support import format_share, list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.measurement import Record, Status
from lineage_repo.record.lineage import Lineage


class Predictions(Record):
    """How well expectations are calibrated, over trials with a prediction that were compared with their parent.

    Gains are in the objective's unit, over the parent; positive is better. `expected_gain` counts predictions of an
    improvement, `gained` measured means above 0, `shown` those whose 95 % interval lies above 0, `ties` those whose
    interval holds 0, `kept` the keeps. `right_side` counts trials whose prediction and measured mean have the same
    sign.
    """

    trials: int
    expected_gain: int
    gained: int
    shown: int
    ties: int
    kept: int
    right_side: int
    median_expected: float
    median_measured: float

    def lines(self) -> list[str]:
        """Format for people."""
        return [
            f"a gain was expected in {format_share(self.expected_gain, self.trials)}",
            f"the measured mean was above the parent in {format_share(self.gained, self.trials)}",
            f"its 95 % interval lay above 0 in {self.shown} and held 0 in {self.ties}; kept {self.kept}",
            f"the sign of the mean was right in {format_share(self.right_side, self.trials)}",
            f"median gain expected {self.median_expected:+.6g}, measured {self.median_measured:+.6g}",
        ]


def compute_predictions(lineage: Lineage) -> Predictions:
    """Compare predictions and measurements; raise `UnsupportedError` if no trial has both."""
    objective = lineage.task.objective
    pairs = [
        (objective.sign * trial.proposal.expected_delta, gain, trial.status)
        for trial in list_trials(lineage)
        if not trial.lacks("expected_delta") and (gain := find_gain_over_parent(lineage, trial)) is not None
    ]
    if not pairs:
        raise UnsupportedError("no trial has a prediction and was compared with its parent")
    gains = [gain for _, gain, _ in pairs]
    return Predictions(
        trials=len(pairs),
        expected_gain=sum(expected > 0 for expected, _, _ in pairs),
        gained=sum(gain.mean > 0 for gain in gains),
        shown=sum(gain.low is not None and gain.low > 0 for gain in gains),
        ties=sum(gain.is_tie for gain in gains),
        kept=sum(status is Status.KEEP for *_, status in pairs),
        right_side=sum(expected * gain.mean > 0 for expected, gain, _ in pairs),
        median_expected=median(expected for expected, _, _ in pairs),
        median_measured=median(gain.mean for gain in gains),
    )
