"""The allowance: what the caps of a campaign still leave for sessions."""

import math

from agent_client.loop.plan import Plan
from agent_client.loop.sessions import Sessions
from agent_client.loop.spend import Spend
from agent_client.loop.state import RunEnd
from lineage_repo.model.ledger import Caps
from lineage_repo.prompting.system_prompt import caps_of
from lineage_repo.record.campaign import Campaign

LEAST_USD = 0.05
"""A session with less could not even begin."""


class Budget:
    """Caps of the plan, less what is used and what live sessions are promised."""

    def __init__(self, campaign: Campaign, plan: Plan, spend: Spend, crew: Sessions) -> None:
        self._campaign, self._plan, self._spend, self._crew = campaign, plan, spend, crew

    @property
    def registered(self) -> int:
        """Trials, the baseline not counted."""
        return sum(number > 0 for number in self._campaign.lineage.registered)

    @property
    def trials(self) -> float:
        """Trials that are neither registered nor promised to a session."""
        return math.inf if self._plan.trials is None else self._plan.trials - self.registered - self._crew.submits

    @property
    def usd(self) -> float:
        """USD that are neither spent nor promised to a session."""
        return math.inf if self._plan.usd is None else self._plan.usd - self._spend.usd - self._crew.usd

    @property
    def hours_since_keep(self) -> float:
        best = self._campaign.lineage.best
        return self._spend.hours(best.at if best and best.number else None)

    @property
    def enough(self) -> bool:
        """Whether one more session may begin."""
        return self.trials > 0 and self.usd >= LEAST_USD

    def reached(self) -> tuple[RunEnd, str] | None:
        """The cap of the campaign that is reached, the goal aside."""
        plan, hours = self._plan, self._spend.hours()
        if self.trials <= 0 and not self._crew:
            return None
        if hours >= plan.hours:
            return RunEnd.HOURS, f"{hours:.2f} of {plan.hours:g} hours are used: a larger --hours goes on"
        if (since := self.hours_since_keep) >= plan.no_improvement_hours:
            detail = f"no keep for {since:.2f} hours: a larger --no-improvement-hours goes on"
            return RunEnd.NO_IMPROVEMENT, detail
        if not self._crew and self.usd < LEAST_USD:
            return RunEnd.USD, f"{self._spend.usd:.2f} of {plan.usd:g} USD are used: a larger --usd goes on"
        return None

    def caps(self, name: str, room: int) -> Caps:
        """Caps of a role's next session, one of `room`, so that all together stay within those of the campaign."""
        caps, trials = caps_of(self._campaign, name), self.trials
        submits = self._plan.submits or caps.submits
        minutes = (self._plan.hours - self._spend.hours()) * 60
        return caps.model_copy(
            update={
                "submits": submits if math.isinf(trials) else min(submits, math.ceil(trials / room)),
                "usd": min(caps.usd, max(self.usd / room, LEAST_USD)),
                "minutes": min(caps.minutes, max(minutes, 0.01)),
            }
        )
