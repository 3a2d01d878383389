"""One shell command of an agent, in a box: it works on a copy of the working copy, and what it left comes back.

A program, `python -I -m mcp_server.commands.agent_shell CAMPAIGN SPECIALIST`, since the agents' floor may not
import this one. Without `--command` it tests the walls and prints the flag that every command then needs.
"""

import base64
import os
import signal
import sys
import tempfile
from pathlib import Path

import click

from lineage_repo.errors import EspalierError, SandboxError, SnapshotError
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import snapshot
from lineage_repo.storage.files import write_whole
from mcp_server.sandbox import host as hosts
from mcp_server.sandbox.box import Box
from mcp_server.sandbox.bwrap_args import BoxSpec, drops_root
from mcp_server.sandbox.host import Host, interpreter
from mcp_server.sandbox.selftest import SelfTest

_SHOWN = 28_000
"""Characters of output; Claude Code cuts it after 30,000."""
_SCRIPT = 'cp -R /recipe/. /out && exec bash -c -- "$1"'
_ENDED = {"timeout": "ended after {seconds:g} s", "memory": "ended: too much memory", "files": "ended: too many files"}


def run(campaign: Campaign, specialist: str, host: Host, command: str, seconds: float, *, own_user: bool) -> int:
    """Run a command, print what it wrote, and take its changes over; return its exit code.

    Raises:
        SandboxError: there is no box; nothing ran.
        SnapshotError: the working copy is no recipe, or what was left of it is none; it stays as it was.
    """
    workdir = campaign.paths.workdir(specialist)
    before = snapshot.read_folder(workdir)
    with tempfile.TemporaryDirectory(prefix="espalier-shell-") as scratch:
        spec = _spec(campaign, specialist, host, before, Path(scratch))
        update = {"argv": (*spec.argv, command), "limit_s": seconds, "drops_root": own_user}
        with Box(spec.model_copy(update=update), "shell") as box:
            box.release()
            box.wait()
            click.echo(_shown(box.log.bytes()), nl=False)
            if box.verdict in _ENDED:
                click.echo(f"[{_ENDED[box.verdict].format(seconds=seconds)}; everything that it started is dead]")
            _take_over(before, _left(box.out), workdir)
            return box.exit_code or int(box.verdict != "ok")


def check(campaign: Campaign, specialist: str, host: Host) -> str:
    """Test the walls and make a box; return the flag that every command needs here. Raise `SandboxError`."""
    found = SelfTest.run(host)
    if problem := found.below("bwrap"):
        raise SandboxError(problem)
    with tempfile.TemporaryDirectory(prefix="espalier-shell-") as scratch:
        spec = _spec(campaign, specialist, host, {"empty": b""}, Path(scratch))
        update = {"argv": (*spec.argv, "true"), "drops_root": found.drops_root}
        with Box(spec.model_copy(update=update), "shell") as box:
            box.release()
            box.wait()
    if box.verdict != "ok":
        raise SandboxError(f"an empty command fails in its box: {box.log.bytes().decode(errors='replace').strip()}")
    return "--own-user" if found.drops_root else "--mapped-user"


def _spec(campaign: Campaign, specialist: str, host: Host, files: snapshot.Files, scratch: Path) -> BoxSpec:
    """A box that copies `files` to its /out; the command is still to be added."""
    recipe, data, limits = scratch / "recipe", scratch / "data", campaign.task.limits
    snapshot.write_folder(files, recipe)
    data.mkdir()
    return BoxSpec(
        argv=("bash", "-c", _SCRIPT, "bash"),
        recipe=recipe,
        data=data,
        interpreter=interpreter(host.recipe_python),
        hide=campaign.task.hide,
        bwrap=host.bwrap,
        environment={},
        limit_s=20,
        clock="wall",
        memory_bytes=limits.memory_bytes,
        processes=limits.processes,
        scratch_bytes=limits.scratch_bytes,
        scratch_files=limits.scratch_files,
        out_alias=campaign.paths.workdir(specialist),
    )


def _left(out: int) -> dict[str, bytes]:
    try:
        return snapshot.read_folder(Path(f"/proc/self/fd/{out}"))
    except SnapshotError as error:
        raise SnapshotError(f"nothing that the command changed is kept: {error}") from None


def _take_over(before: snapshot.Files, after: snapshot.Files, workdir: Path) -> None:
    """Bring what changed to the working copy; files that did not change keep their times."""
    if before.keys() != after.keys():
        return snapshot.write_folder(after, workdir)
    for path in (p for p in after if before[p] != after[p]):
        write_whole(workdir / path, after[path])
    return None


def _shown(log: bytes) -> str:
    text = log.decode("utf-8", "replace")
    cut = len(text) - _SHOWN
    return text if cut <= 0 else f"{text[: _SHOWN // 2]}\n[{cut:,} characters left out]\n{text[-_SHOWN // 2 :]}"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("specialist")
@click.option("--command", help="Base64.")
@click.option("--seconds", type=float, default=120.0)
@click.option("--own-user/--mapped-user", default=drops_root)
def main(folder: Path, specialist: str, command: str | None, seconds: float, own_user: bool) -> None:
    """Run one command, or test the walls."""
    try:
        campaign, host = Campaign.open(folder), hosts.load(os.environ)
        if command is None:
            return click.echo(check(campaign, specialist, host))
        text = base64.b64decode(command, validate=True).decode()
        sys.exit(run(campaign, specialist, host, text, seconds, own_user=own_user))
    except EspalierError as error:
        raise click.ClickException(str(error)) from None


def _end(*_: object) -> None:
    sys.exit(1)


if __name__ == "__main__":
    # The boxes' user must be able to read what is staged, and trials are timed beside it.
    os.umask(0o022)
    os.nice(19)
    signal.signal(signal.SIGTERM, _end)
    main()
