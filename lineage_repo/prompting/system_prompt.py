"""The system prompt of a role: the knowledge files with the campaign's numbers put in."""

from pathlib import Path
from string import Template

from lineage_repo.errors import TaskError
from lineage_repo.model.ledger import Caps
from lineage_repo.model.manifest import Gate, Objective, Phase, Task
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.builtin import data_folder
from lineage_repo.task.find import knowledge_folder


def caps_of(campaign: Campaign, name: str) -> Caps:
    """The caps of a role's sessions: its own, else the campaign's."""
    return campaign.roster[name].caps or campaign.settings.caps


def system_prompt(campaign: Campaign, specialist: str, extras: tuple[str, ...] = ()) -> str:
    """Render the prompt of a role; the same bytes for every session of it, so that it caches.

    Raises:
        TaskError: a file is missing, or names a variable that nobody sets.
    """
    ours, own = data_folder("knowledge"), knowledge_folder(campaign.task_folder)
    record = ours / ("record.md" if campaign.settings.read_record else "no_record.md")
    role = own / "roles" / f"{specialist}.md" if campaign.settings.arm == "roles" else ours / "generic.md"
    shell = [ours / "shell.md"] if "Bash" in extras else []
    files = (ours / "session.md", record, *shell, own / "brief.md", role)
    values = prompt_variables(campaign, specialist)
    return "\n\n".join(render(file, values).strip() for file in files) + "\n"


def prompt_variables(campaign: Campaign, specialist: str) -> dict[str, str]:
    """Everything that a knowledge file may name, from the manifest and the campaign."""
    task, role, caps = campaign.task, campaign.roster[specialist], caps_of(campaign, specialist)
    editable = ", ".join(f"`{pattern}`" for pattern in task.recipe.editable)
    return {
        "task_title": task.title,
        "summary": task.summary,
        "metric": task.objective.metric,
        "unit": task.objective.unit,
        "direction": task.objective.direction,
        "n_seeds": str(task.n_seeds),
        "editable": editable,
        "gates": _bullets([gate_text(gate) for gate in task.gates], "none"),
        "limits": _bullets(limit_texts(task), "none"),
        "phases": _bullets([_phase(phase, task.objective) for phase in task.phases], "none"),
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
    """The clock that times phases: the one that calibration froze, else the manifest's."""
    calibrations = campaign.lineage.refresh().calibrations
    return calibrations[0].measurement.clock if calibrations else campaign.task.clock


def gate_text(gate: Gate) -> str:
    """A gate as one phrase."""
    side = f"at least {gate.at_least:g}" if gate.at_least is not None else f"at most {gate.at_most:g}"
    how = f"the {gate.confidence:.0%} confidence bound of its mean" if gate.rule == "bound" else "its mean"
    return f"`{gate.metric}` {side} ({how} over the seeds counts)"


def limit_texts(task: Task) -> list[str]:
    """The limits on a recipe and its boxes, as agents read them."""
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


def _phase(phase: Phase, objective: Objective) -> str:
    ready = f", {phase.ready_s:g} s before READY" if phase.ready_s is not None else ""
    counts = "; its seconds are the score" if phase.timed and objective.metric == "seconds" else ""
    sees = ", ".join([*phase.inputs, *(f"the sealed artifact of {name}" for name in phase.sealed)]) or "nothing"
    return (
        f"`{phase.name}`: `{' '.join(phase.argv)}`, once per {phase.per}, at most {phase.limit_s:g} s{ready}{counts}; "
        f"it sees {sees} and {_leaves(phase)}"
    )


def _leaves(phase: Phase) -> str:
    made = phase.artifact
    if made is None:
        return "talks with the evaluator"
    return f"leaves `{made.path}` ({made.format}, at most {made.max_bytes:,} bytes)"


def _bullets(lines: list[str], none: str) -> str:
    return "\n".join(f"- {line}" for line in lines or [none])


def render(file: Path, values: dict[str, str]) -> str:
    """Put the values into one knowledge file; raise `TaskError` that names the file and the variable."""
    try:
        return Template(file.read_text("utf-8")).substitute(values)
    except FileNotFoundError:
        raise TaskError(f"{file} does not exist: every role needs this knowledge file") from None
    except KeyError as error:
        raise TaskError(f"{file} names the variable {error.args[0]!r}; there are: {', '.join(values)}") from None
    except ValueError as error:
        raise TaskError(f"{file}: {error}; write $$ for a dollar sign") from None
