"""Forecast: what a run would take and cost at most, from the plan, the caps and the calibration."""

import math
from collections.abc import Mapping

from agent_client.loop.budget import read_earlier_sessions
from agent_client.loop.plan import Plan
from lineage_repo.model.measurement import Record
from lineage_repo.monitor.host_slots import read_slots
from lineage_repo.prompting.system_prompt import caps_of
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.cost import Cost, estimate_cost, seed_seconds


class Forecast(Record):
    """What `run --dry-run` prints; nothing is started for it."""

    models: Mapping[str, str]
    trials_registered: int
    trials_to_go: int | None
    """None without a goal."""
    sessions: int | None
    """Sessions that the trials to go need if every session uses its submits."""
    seconds_per_seed: float
    """From the calibration: boxes and evaluator, one seed alone on this host."""
    cost: Cost
    """Seeds of trials and proofs."""
    seconds_per_trial: float
    """Of a trial that gains nothing; a keep takes longer."""
    slots: int
    at_once: int
    """Trials measured at once: slots or sessions, whichever are fewer."""
    hours_of_trials: float | None
    """Measuring alone, with all slots busy; the models' thinking comes on top."""
    hours_cap: float
    no_improvement_hours_cap: float
    usd_spent: float
    usd_per_session_cap: float
    usd_of_sessions: float | None
    """Most that these sessions cost; if one uses fewer submits, one more session is needed."""
    usd_worst: float | None
    """Most that this run can cost; None without a cap. One answer per session may still overshoot."""


def make_forecast(campaign: Campaign, plan: Plan, environment: Mapping[str, str], *, free: bool) -> Forecast:
    """Compute a forecast; `free` if the model costs nothing, `environment` to find the host's slots."""
    lineage = campaign.lineage
    registered = sum(number > 0 for number in lineage.registered)
    to_go = None if plan.trials is None else max(0, plan.trials - registered)
    caps = [caps_of(campaign, name) for name in plan.models]
    submits = min(plan.submits or c.submits for c in caps)
    sessions = None if to_go is None else _count_sessions(to_go, submits, plan.concurrency)
    cost, per_seed = estimate_cost(campaign.task), seed_seconds(lineage)
    seconds = cost.null_trial * per_seed
    total = read_slots(environment).total
    at_once = min(total, plan.concurrency)
    usd = max(c.usd for c in caps)
    spent = sum(session.charged_usd for session in read_earlier_sessions(campaign.folder))
    left = None if plan.usd is None else max(0.0, plan.usd - spent)
    return Forecast(
        models=plan.models,
        trials_registered=registered,
        trials_to_go=to_go,
        sessions=sessions,
        seconds_per_seed=round(per_seed, 2),
        cost=cost,
        seconds_per_trial=round(seconds, 1),
        slots=total,
        at_once=at_once,
        hours_of_trials=None if to_go is None else round(to_go * seconds / at_once / 3600, 2),
        hours_cap=plan.hours,
        no_improvement_hours_cap=plan.no_improvement_hours,
        usd_spent=round(spent, 2),
        usd_per_session_cap=usd,
        usd_of_sessions=None if sessions is None else (0.0 if free else round(sessions * usd, 2)),
        usd_worst=0.0 if free else (None if left is None else round(left, 2)),
    )


def _count_sessions(to_go: int, submits: int, at_once: int) -> int:
    """Count the sessions that bring `to_go` trials: those that begin together share them, as in the loop."""
    count = 0
    while to_go > 0:
        for room in range(at_once, 0, -1):
            if to_go > 0:
                to_go -= min(submits, math.ceil(to_go / room))
                count += 1
    return count


def format_forecast(forecast: Forecast) -> str:
    """Write a forecast for people."""
    goal = "no goal" if forecast.trials_to_go is None else f"{forecast.trials_to_go} to go"
    sessions = (
        "as many as the caps allow" if forecast.sessions is None else f"{forecast.sessions} if each uses its submits"
    )
    hours = "" if forecast.hours_of_trials is None else f", {forecast.hours_of_trials:g} h of measuring"
    slots_text = f"{forecast.slots} slot{'s' if forecast.slots > 1 else ''}"
    pace = f"{forecast.seconds_per_trial:g} s a trial that gains nothing, {forecast.at_once} at once on {slots_text}"
    worst = "no cap on USD: give --usd" if forecast.usd_worst is None else f"{forecast.usd_worst:.2f} USD at worst"
    likely = "" if forecast.usd_of_sessions is None else f"; those sessions at most {forecast.usd_of_sessions:.2f} USD"
    return "\n".join(
        [
            "dry run: nothing is started",
            "models    " + ", ".join(f"{name} {model}" for name, model in forecast.models.items()),
            f"trials    {forecast.trials_registered} registered, {goal}",
            f"sessions  {sessions}",
            f"time      {pace}{hours}; thinking comes on top",
            f"seeds     {_describe_cost(forecast)}",
            f"ends      after {forecast.hours_cap:g} h, or {forecast.no_improvement_hours_cap:g} h without a keep",
            (
                f"cost      {worst}{likely}; each session up to {forecast.usd_per_session_cap:g} USD, "
                f"{forecast.usd_spent:.2f} USD spent so far"
            ),
        ]
    )


def _describe_cost(forecast: Forecast) -> str:
    """Write what proposals and proofs cost in seeds and slot hours."""
    cost, hours = forecast.cost, forecast.seconds_per_seed / 3600
    first, last = cost.replication
    return (
        f"{cost.null_trial:.1f} for a trial that gains nothing ({cost.null_trial * hours:.2g} slot hours), "
        f"{cost.keep} for a keep ({cost.keep * hours:.2g}), {first} to {last} for a replication "
        f"({first * hours:.2g} to {last * hours:.2g})"
    )
