"""The `espalier` command: a table of commands, each loaded only when it is called."""

import importlib
import io
import sys
from collections.abc import Mapping
from typing import Any

import click

from lineage_repo.cli.output import print_json
from lineage_repo.errors import EspalierError
from lineage_repo.text.escape import escape_text

COMMANDS = {
    "init": ("lineage_repo.cli.init:init", "Make a campaign folder for a task."),
    "calibrate": ("mcp_server.commands.calibrate:calibrate", "Measure the unmodified starting recipe and its noise."),
    "certify": ("mcp_server.commands.prove:certify", "Certify the anchor's gain over the start, on fresh seeds."),
    "replicate": ("mcp_server.commands.prove:replicate", "Test the head against the anchor, on fresh seeds."),
    "run": ("agent_client.cli:run", "Run specialist sessions until a goal or a cap is reached."),
    "serve": ("mcp_server.commands.serve:serve", "Serve one specialist's tools over MCP on stdio."),
    "status": ("lineage_repo.cli.status:status", "Show where a campaign stands."),
    "top": ("lineage_repo.cli.top:top", "Watch a campaign live."),
    "pause": ("lineage_repo.cli.control:pause", "Keep a running loop from starting new sessions."),
    "resume": ("lineage_repo.cli.control:resume", "Let a paused loop start sessions again."),
    "stop": ("lineage_repo.cli.control:stop", "End a running loop; its trials are still recorded."),
    "sessions": ("lineage_repo.cli.sessions:sessions", "List the sessions: whose, how long, and how they ended."),
    "log": ("lineage_repo.cli.log:log", "List the trials, newest first."),
    "show": ("lineage_repo.cli.show:show", "Show one trial: its claim, measurement and verdict."),
    "diff": ("lineage_repo.cli.trial_files:diff", "Show how two trials' recipes differ."),
    "logs": ("lineage_repo.cli.trial_files:logs", "Print what a trial's sandboxes wrote."),
    "checkout": ("lineage_repo.cli.trial_files:checkout", "Write a trial's recipe to a folder."),
    "cancel": ("mcp_server.commands.cancel:cancel", "End a running trial and record it as harness_abort."),
    "verify": ("lineage_repo.cli.verify:verify", "Check a lineage or a clone of it, and replay every verdict."),
    "import": ("lineage_repo.cli.importing:import_command", "Bring trials of another harness into a new lineage."),
    "analyze": ("lineage_repo.cli.analyze:analyze", "Compute what the trials of a lineage show together."),
    "export": ("lineage_repo.cli.analyze:export", "Write the trials as a table, or a public bundle."),
    "report": ("lineage_repo.cli.report:report", "Write a page about a campaign that works offline."),
    "compare": ("lineage_repo.cli.report:compare", "Compare campaigns on one task side by side."),
    "prune": ("lineage_repo.cli.prune:prune", "Remove old logs and artifacts, never the record."),
    "task": ("lineage_repo.cli.main:task", "Make, check, list and describe tasks."),
    "doctor": ("mcp_server.commands.doctor:doctor", "Check whether this machine can run trials."),
}

TASK_COMMANDS = {
    "new": ("lineage_repo.cli.task:new", "Make a small working task to start from."),
    "prepare": (
        "mcp_server.commands.task_prepare:prepare",
        "Fetch an upstream recipe at its pinned version, and lay out your data.",
    ),
    "check": (
        "mcp_server.commands.task_check:check",
        "Try a task: manifest, knowledge, and one seed of the start in sandboxes.",
    ),
    "list": ("lineage_repo.cli.task:list_tasks", "Name the built-in tasks."),
    "schema": ("lineage_repo.cli.task:schema", "Print the JSON schema of task.toml."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is called."""

    table: Mapping[str, tuple[str, str]]
    """Each command's place, as `module:attribute`, and its one line of help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module, attribute = self.table[cmd_name][0].split(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name in {"claude_agent_sdk"}:
                raise click.ClickException(
                    f"{cmd_name} needs {error.name}: pip install -e '.[swarm]' in a checkout"
                ) from None
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; print an error that a user can act on as one line, or as JSON with `--json`, and exit 1."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except click.UsageError:
            raise
        except (EspalierError, click.ClickException) as error:
            problem = str(error)
        except OSError as error:
            if error.filename is None:  # not about a file: click handles a pipe that closed
                raise
            problem = f"{error.filename}: {error.strerror}"
        if as_json:
            print_json({"schema": "espalier.error/1", "error": problem})
            raise SystemExit(1)
        raise click.ClickException(escape_text(problem))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])


class _Commands(LazyGroup):
    table = COMMANDS


class _TaskCommands(LazyGroup):
    table = TASK_COMMANDS


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="espalier-research")
def main() -> None:
    """Auto research as a closed loop: agents propose, an evaluator owns the score, git keeps every trial.

    Start with `espalier init DIR --task airbench_cpu`, then `espalier calibrate DIR`, then
    `espalier run DIR --model standin --trials 8`. `espalier task list` names the tasks.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal without UTF-8 shows a character that it lacks as an escape
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


@click.group(cls=_TaskCommands)
def task() -> None:
    """Make, check, list and describe tasks. docs/tasks.md leads from a training script to a campaign."""


if __name__ == "__main__":
    sys.exit(main())
