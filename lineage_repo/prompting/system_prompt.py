"""The system prompt of a role: the knowledge files, with the campaign's numbers filled in."""

from pathlib import Path
from string import Template

from lineage_repo.errors import TaskError
from lineage_repo.model.ledger import Caps
from lineage_repo.model.manifest import Phase, Task
from lineage_repo.model.objective import Gate, Objective
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.builtin import data_folder
from lineage_repo.task.find import knowledge_folder


def caps_of(campaign: Campaign, name: str) -> Caps:
    """Return the caps of a role's sessions: its own, else the campaign's."""
    return campaign.roster[name].caps or campaign.settings.caps


def system_prompt(campaign: Campaign, specialist: str, extras: tuple[str, ...] = ()) -> str:
    """Render the prompt of a role: the same bytes for each of its sessions, so that the model's endpoint caches it.

    Args:
        campaign: Decides which files the prompt has: with or without the record, by role or generic.
        specialist: Name in the campaign's roster.
        extras: Claude Code's own tools beyond the file tools, such as `Bash`.

    Raises:
        TaskError: a knowledge file is missing, or names a variable that does not exist.
    """
    common, own = data_folder("knowledge"), knowledge_folder(campaign.task_folder)
    judge = common / f"judge_{campaign.task.judge.rule}.md"
    record = common / ("record.md" if campaign.settings.read_record else "no_record.md")
    role = own / "roles" / f"{specialist}.md" if campaign.settings.arm == "roles" else common / "generic.md"
    shell = [common / "shell.md"] if "Bash" in extras else []
    files = (common / "session.md", judge, record, *shell, own / "brief.md", role)
    values = prompt_variables(campaign, specialist)
    return "\n\n".join(render(file, values).strip() for file in files) + "\n"


def prompt_variables(campaign: Campaign, specialist: str) -> dict[str, str]:
    """Return each variable that a knowledge file may name, from the manifest and the campaign."""
    task, role, caps = campaign.task, campaign.roster[specialist], caps_of(campaign, specialist)
    editable = ", ".join(f"`{pattern}`" for pattern in task.recipe.editable)
    return {
        "task_title": task.title,
        "summary": task.summary,
        "metric": task.objective.metric,
        "unit": task.objective.unit,
        "direction": task.objective.direction,
        "n_seeds": str(task.n_seeds),
        "screen_seeds": str(task.judge.screen_seeds),
        "blocks": str(task.judge.blocks),
        "editable": editable,
        "gates": _bullets([gate_text(gate) for gate in task.gates], "none"),
        "limits": _bullets(limit_texts(task), "none"),
        "phases": _bullets([_phase_text(phase, task.objective) for phase in task.phases], "none"),
        "clock": campaign_clock(campaign),
        "specialist": role.name,
        "specialist_title": role.title,
        "neighbours": ", ".join(role.neighbours) or "none",
        "scope": role.scope or role.title,
        "off_limits": role.off_limits or "nothing that is editable",
        "surface": ", ".join(f"`{pattern}`" for pattern in role.surface) if role.surface else editable,
        "edit_radius": str(role.edit_radius) if role.edit_radius else "any number of",
        "turns": str(caps.turns),
        "submits": str(caps.submits),
        "minutes": f"{caps.minutes:g}",
    }


def campaign_clock(campaign: Campaign) -> str:
    """Return the clock that times phases: the one that calibration froze, else the manifest's."""
    lineage = campaign.lineage.refresh()
    return lineage.clock if lineage.calibrations else campaign.task.clock


def gate_text(gate: Gate) -> str:
    """Return a gate as one phrase.

    >>> gate_text(Gate(metric="accuracy", at_least=0.96, rule="mean"))
    '`accuracy` at least 0.96 (its mean over the seeds counts)'
    """
    side = f"at least {gate.at_least:g}" if gate.at_least is not None else f"at most {gate.at_most:g}"
    how = f"the {gate.confidence:.0%} confidence bound of its mean" if gate.rule == "bound" else "its mean"
    return f"`{gate.metric}` {side} ({how} over the seeds counts)"


def limit_texts(task: Task) -> list[str]:
    """Return the limits on a recipe and its boxes, one phrase each."""
    limits = task.limits
    return [
        f"source: {limits.source_bytes:,} bytes" + (", packed and without comments" if limits.packed else ""),
        *([f"source and counted artifacts: {limits.total_bytes:,} bytes"] if limits.total_bytes is not None else []),
        f"memory of a box: {limits.memory_bytes:,} bytes",
        f"processes in a box: {limits.processes}",
        f"scratch space of a box: {limits.scratch_bytes:,} bytes in each of /out, /tmp and /dev/shm",
        f"files in a box's scratch space: {limits.scratch_files:,}",
        f"GPUs: {limits.gpus}",
    ]


def _phase_text(phase: Phase, objective: Objective) -> str:
    ready = f", {phase.ready_s:g} s before READY" if phase.ready_s is not None else ""
    counts = "; its seconds are the score" if phase.timed and objective.metric == "seconds" else ""
    sees = ", ".join([*phase.inputs, *(f"the sealed artifact of {name}" for name in phase.sealed)]) or "nothing"
    return (
        f"`{phase.name}`: `{' '.join(phase.argv)}`, once per {phase.per}, at most {phase.limit_s:g} s{ready}{counts}; "
        f"it sees {sees} and {_artifact_text(phase)}"
    )


def _artifact_text(phase: Phase) -> str:
    artifact = phase.artifact
    if artifact is None:
        return "talks with the evaluator"
    return f"leaves `{artifact.path}` ({artifact.format}, at most {artifact.max_bytes:,} bytes)"


def _bullets(lines: list[str], none: str) -> str:
    return "\n".join(f"- {line}" for line in lines or [none])


def render(file: Path, values: dict[str, str]) -> str:
    """Fill the values into one knowledge file; raise `TaskError` if it is missing or names an unknown variable."""
    try:
        return Template(file.read_text("utf-8")).substitute(values)
    except FileNotFoundError:
        raise TaskError(f"{file} does not exist: every role needs this knowledge file") from None
    except KeyError as error:
        raise TaskError(f"{file} names the variable {error.args[0]!r}; there are: {', '.join(values)}") from None
    except ValueError as error:
        raise TaskError(f"{file}: {error}; write $$ for a dollar sign") from None
