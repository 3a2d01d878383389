"""One shell command of an agent, in a box: it works on a copy of the working copy, and its changes come back.

A program, `python -I -m mcp_server.commands.agent_shell CAMPAIGN SPECIALIST`, since `agent_client` may not import this
package. Without `--command` it tests the walls and prints the flag that every command then needs.
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

_MAX_SHOWN = 28_000
"""Characters of output; Claude Code cuts it after 30,000."""
_SCRIPT = 'cp -R /recipe/. /out && exec bash -c -- "$1"'
_ENDED = {"timeout": "ended after {seconds:g} s", "memory": "ended: too much memory", "files": "ended: too many files"}


def run(campaign: Campaign, specialist: str, host: Host, command: str, limit_s: float, *, own_user: bool) -> int:
    """Run a command for at most `limit_s` seconds, print its output, and keep its changes; return its exit code.

    Raises:
        SandboxError: no box could be made, so nothing ran.
        SnapshotError: the working copy is not a recipe, or the command left none. The working copy stays as it was.
    """
    workdir = campaign.paths.workdir(specialist)
    before = snapshot.read_folder(workdir)
    with tempfile.TemporaryDirectory(prefix="espalier-shell-") as scratch:
        spec = _box_spec(campaign, specialist, host, before, Path(scratch))
        update = {"argv": (*spec.argv, command), "limit_s": limit_s, "drops_root": own_user}
        with Box(spec.model_copy(update=update), "shell") as box:
            box.release()
            box.wait()
            click.echo(_shorten(box.log.bytes()), nl=False)
            if box.exit_status in _ENDED:
                click.echo(f"[{_ENDED[box.exit_status].format(seconds=limit_s)}; everything that it started is dead]")
            _keep_changes(before, _read_result(box.out), workdir)
            return box.exit_code or int(box.exit_status != "ok")


def check(campaign: Campaign, specialist: str, host: Host) -> str:
    """Test the walls and run an empty command; return the flag that every command needs here.

    Raises:
        SandboxError: boxes are not isolated, or none can be made.
    """
    test = SelfTest.run(host)
    if problem := test.below("bwrap"):
        raise SandboxError(problem)
    with tempfile.TemporaryDirectory(prefix="espalier-shell-") as scratch:
        spec = _box_spec(campaign, specialist, host, {"empty": b""}, Path(scratch))
        update = {"argv": (*spec.argv, "true"), "drops_root": test.drops_root}
        with Box(spec.model_copy(update=update), "shell") as box:
            box.release()
            box.wait()
    if box.exit_status != "ok":
        raise SandboxError(f"an empty command fails in its box: {box.log.bytes().decode(errors='replace').strip()}")
    return "--own-user" if test.drops_root else "--mapped-user"


def _box_spec(campaign: Campaign, specialist: str, host: Host, files: snapshot.Files, scratch: Path) -> BoxSpec:
    """Describe a box that copies `files` to its /out; the command is still to be added."""
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


def _read_result(out: int) -> dict[str, bytes]:
    try:
        return snapshot.read_folder(Path(f"/proc/self/fd/{out}"))
    except SnapshotError as error:
        raise SnapshotError(f"nothing that the command changed is kept: {error}") from None


def _keep_changes(before: snapshot.Files, after: snapshot.Files, workdir: Path) -> None:
    """Copy the changes to the working copy; unchanged files keep their times."""
    if before.keys() != after.keys():
        return snapshot.write_folder(after, workdir)
    for path in (p for p in after if before[p] != after[p]):
        write_whole(workdir / path, after[path])
    return None


def _shorten(log: bytes) -> str:
    text = log.decode("utf-8", "replace")
    cut = len(text) - _MAX_SHOWN
    return text if cut <= 0 else f"{text[: _MAX_SHOWN // 2]}\n[{cut:,} characters left out]\n{text[-_MAX_SHOWN // 2 :]}"


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
    # The boxes' user must be able to read what is staged. Trials that are timed at the same time come first.
    os.umask(0o022)
    os.nice(19)
    signal.signal(signal.SIGTERM, _end)
    main()
