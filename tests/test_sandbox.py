"""What a box is: its walls, its clock, its end."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server import cgroup
from mcp_server.box import Box, SandboxError
from mcp_server.host import interpreter
from mcp_server.sandbox import BoxSpec
from mcp_server.seal import seal

Run = Callable[..., Box]


def spec_of(folder: Path, source: str, **changes: object) -> BoxSpec:
    """A box that runs Python source with small limits."""
    recipe, data = folder / "recipe", folder / "data"
    recipe.mkdir(exist_ok=True)
    data.mkdir(exist_ok=True)
    (recipe / "main.py").write_text(source, "utf-8")
    spec = BoxSpec(
        argv=(sys.executable, "-S", "/recipe/main.py"),
        recipe=recipe,
        data=data,
        interpreter=interpreter(Path(sys.executable)),
        environment={},
        seconds=5,
        clock="wall",
        memory_bytes=400_000_000,
        processes=32,
        scratch_bytes=8_000_000,
    )
    return spec.model_copy(update=changes)


@pytest.fixture(params=["as a user of its own", "in a user namespace"])
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """Run Python source in a box to its end, in each of the two ways that boxes are made."""
    own = request.param == "as a user of its own"
    if own and os.geteuid() != 0:
        pytest.skip("only root can make boxes of another user")

    def run(source: str, **changes: object) -> Box:
        with Box(spec_of(tmp_path, source, drops_root=own, **changes), "test") as box:
            box.release()
            box.wait()
        return box

    return run


def test_a_box_ends_with_what_its_program_says(run: Run) -> None:
    box = run("print('hello'); raise SystemExit(3)")
    assert (box.verdict, box.exit_code, box.log.bytes()) == ("crash", 3, b"hello\n")


@pytest.mark.parametrize("path", ["/x", "/etc/x", "/usr/x", "/dev/x", "/recipe/x", "/data/x", "/proc/x"])
def test_a_box_cannot_write_outside_its_scratch(run: Run, path: str) -> None:
    assert b"OSError" in run(f"try: open({path!r}, 'w')\nexcept OSError: print('OSError')").log.bytes()


def test_a_box_sees_neither_the_network_nor_the_environment_nor_other_files(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    source = (
        "import os, socket\n"
        "print('SECRET_KEY' in os.environ, os.path.exists('/root/.bashrc'), os.path.exists('/home'))\n"
        "try: socket.create_connection(('127.0.0.1', 22), 1)\n"
        "except OSError as error: print(error.errno)\n"
        "print(sorted(p for p in os.listdir('/proc') if p.isdigit()))\n"
    )
    first, errno, processes = run(source).log.bytes().decode().splitlines()
    assert first.split() == ["False", "False", "False"]
    assert int(errno) in {101, 111}
    assert processes == "['1', '2']"


def test_the_harness_itself_is_masked_in_a_box(run: Run) -> None:
    assert b"ModuleNotFoundError" in run("import site; site.main()\nimport lineage_repo.records").log.bytes()


def test_a_box_that_sleeps_is_killed_at_its_limit(run: Run) -> None:
    begun = time.monotonic()
    box = run("import time; time.sleep(60)", seconds=0.3)
    assert box.verdict == "timeout"
    assert 0.3 <= box.wall_s <= time.monotonic() - begun < 20


def test_nothing_that_a_box_started_outlives_it(run: Run) -> None:
    marker = f"espalier-marker-{os.getpid()}"
    source = (
        "import os, time\n"
        f"if os.fork() == 0:\n os.setsid()\n os.execv('/usr/bin/sleep', [{marker!r}, '60'])\n"
        "time.sleep(0.2)"
    )
    assert run(source).verdict == "ok"
    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if marker.encode() in _read(p)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_flood_of_output_is_bounded_and_its_end_is_kept(run: Run) -> None:
    box = run("for i in range(300_000): print('x' * 20)\nprint('the end')")
    text = box.log.bytes()
    assert len(text) < 1_200_000
    assert text.endswith(b"the end\n")
    assert b"left out by the harness" in text


def test_scratch_space_is_bounded(run: Run) -> None:
    source = (
        "import os\n"
        "for where in ('/out', '/tmp', '/dev/shm'):\n"
        " try:\n  for i in range(40): open(f'{where}/{i}', 'wb').write(b'x' * 1_000_000)\n"
        " except OSError: print(where, i < 9)\n"
    )
    assert run(source).log.bytes().decode().split() == ["/out", "True", "/tmp", "True", "/dev/shm", "True"]


def test_a_box_that_takes_too_much_memory_ends_without_harm(run: Run) -> None:
    box = run("x = []\nwhile True: x.append(bytearray(20_000_000))")
    assert box.verdict in {"memory", "crash"}


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("open('/out/a', 'wb').write(b'abc')", "ok"),
        ("pass", "absent"),
        ("import os; os.symlink('/etc/passwd', '/out/a')", "refused"),
        ("import os; os.mkfifo('/out/a')", "refused"),
        ("import os; open('/out/b', 'wb').write(b'x'); os.link('/out/b', '/out/a')", "refused"),
        ("import os; os.mkdir('/out/a')", "refused"),
        ("f = open('/out/a', 'wb'); f.truncate(5_000_000)", "oversize"),
    ],
)
def test_only_a_plain_file_within_its_size_is_sealed(tmp_path: Path, source: str, verdict: str) -> None:
    with Box(spec_of(tmp_path, source), "test") as box:
        box.release()
        box.wait()
        sealed = seal(box.out, "a", 1000, tmp_path / "sealed" / "a")
    assert sealed.verdict == verdict
    assert (tmp_path / "sealed" / "a").exists() == (verdict == "ok")


def test_without_bubblewrap_nothing_runs_and_the_remedy_is_named(run: Run) -> None:
    from mcp_server import sandbox

    with pytest.raises(SandboxError, match="espalier doctor"):
        run("pass", bwrap="no-such-bwrap")
    assert "apt-get install bubblewrap" in str(sandbox.missing("no-such-bwrap"))


def test_calls_that_reach_the_kernel_or_other_namespaces_are_refused(run: Run) -> None:
    source = (
        "import ctypes, errno, os, socket\n"
        "call = ctypes.CDLL(None, use_errno=True).syscall\n"
        "for number in (250, 321, 425, 101, 165, 272, 323):\n"
        " print(call(number, 0, 0, 0, 0, 0), ctypes.get_errno() == errno.EPERM)\n"
        "for family in (38, 40):\n"
        " try: socket.socket(family, socket.SOCK_STREAM)\n"
        " except PermissionError: print('refused')\n"
        "print(call(56, 0x10000000 | 17, 0, 0, 0, 0), ctypes.get_errno() == errno.EPERM)\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    lines = run(source).log.bytes().decode().splitlines()
    assert lines == ["-1 True"] * 7 + ["refused"] * 2 + ["-1 True", "7"]


@pytest.mark.parametrize(
    "take",
    [
        "x = [bytearray(30_000_000) for _ in range(100)]",
        "import mmap; x = mmap.mmap(-1, 900_000_000); x.write(b'1' * 900_000_000)",
        "import os, time\nfor i in range(9):\n if os.fork() == 0:\n  x = b'1' * 100_000_000; time.sleep(9)\nos.wait()",
    ],
)
def test_memory_is_bounded_without_a_control_group_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, take: str
) -> None:
    monkeypatch.setattr(cgroup, "_ROOT", tmp_path)
    box = run(take)
    assert box.isolation()["memory"] == "polled"
    assert box.verdict in {"memory", "crash"}


def test_in_memory_files_are_refused_where_nobody_counts_them(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = "import os\ntry: os.memfd_create('x')\nexcept PermissionError: print('refused')"
    assert run(source).log.bytes() == b""
    monkeypatch.setattr(cgroup, "_ROOT", tmp_path)
    assert run(source).log.bytes() == b"refused\n"
