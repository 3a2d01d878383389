"""An ordinary user measures too: no root, no control groups, boxes in user namespaces."""

import base64
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UID = 12_345


def opened(paths: list[Path]) -> list[str]:
    """Shell lines that make `paths` readable for everybody, in their own mount namespace."""
    lines: list[str] = []
    closed = {p for path in paths for p in path.parents if not p.stat().st_mode & 0o001}
    for folder in {p for p in closed if not closed & set(p.parents)}:
        lines += [f"mount --bind {folder} $aside", f"mount -t tmpfs -o mode=755 none {folder}"]
        for path in (p for p in paths if p.is_relative_to(folder)):
            inside = path.relative_to(folder)
            lines += [f"mkdir -p {path}", f"mount --bind $aside/{inside} {path}"]
        lines.append("umount $aside")
    return lines


@pytest.mark.slow
def test_an_ordinary_user_calibrates_in_a_sandbox_that_passes_its_test(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the other tests run as an ordinary user already")
    home, aside = Path("/var/tmp") / f"espalier-{os.getpid()}", tmp_path / "aside"
    aside.mkdir()
    home.mkdir(mode=0o700)
    os.chown(home, UID, UID)
    espalier = f"{shlex.quote(sys.executable)} -I -B -m lineage_repo.cli.main"
    shell = f"{shlex.quote(sys.executable)} -I -B -m mcp_server.commands.agent_shell c opt"
    line = base64.b64encode(b"id -u > who.txt").decode()
    commands = " && ".join(
        [
            *(f"{espalier} init c --task toy", f"{espalier} calibrate c", f"{espalier} show c 0 --json > trial.json"),
            *(f"{espalier} checkout c 0 c/workdirs/opt", f"{shell} > flag", f"{shell} $(cat flag) --command {line}"),
        ]
    )
    drop = f"setpriv --reuid {UID} --regid {UID} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs"
    script = [
        "set -e",
        f"aside={aside}",
        *opened([Path(sys.base_prefix), ROOT]),
        f"cd {home}",
        f"{drop} env -i HOME={home} PATH={os.environ['PATH']} sh -c {shlex.quote(commands)}",
    ]
    try:
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", "\n".join(script)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        isolation = json.loads((home / "trial.json").read_text("utf-8"))["isolation"]
        flag, who = ((home / name).read_text("utf-8").strip() for name in ("flag", "c/workdirs/opt/who.txt"))
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)
    assert (isolation["level"], isolation["uid"], isolation["memory"]) == ("bwrap", "mapped", "polled")
    assert (flag, who) == ("--mapped-user", "1000")
