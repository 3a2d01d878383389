"""Boxes: their walls, their clocks, how they end."""

import functools
import hashlib
import os
import stat
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from lineage_repo.errors import SandboxError
from mcp_server.sandbox import bwrap_args, cgroup, gpus
from mcp_server.sandbox.artifact import Sealed, seal
from mcp_server.sandbox.box import Box
from mcp_server.sandbox.bwrap_args import BoxSpec, suggest_remedy
from mcp_server.sandbox.host import Host, interpreter
from mcp_server.sandbox.selftest import SelfTest

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
        limit_s=5,
        clock="wall",
        memory_bytes=400_000_000,
        processes=32,
        scratch_bytes=8_000_000,
    )
    return spec.model_copy(update=changes)


@pytest.fixture(params=["as a user of its own", "in a user namespace"])
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """Run Python source in a box to its end, once for each way of making boxes."""
    own = request.param == "as a user of its own"
    if own and os.geteuid() != 0:
        pytest.skip("only root can make boxes of another user")

    def run(source: str, **changes: object) -> Box:
        with Box(spec_of(tmp_path, source, **{"drops_root": own, **changes}), "test") as box:
            box.release()
            box.wait()
        return box

    return run


def test_a_box_ends_with_what_its_program_says(run: Run) -> None:
    box = run("print('hello'); raise SystemExit(3)")
    assert (box.exit_status, box.exit_code, box.log.bytes()) == ("crash", 3, b"hello\n")


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
    assert b"ModuleNotFoundError" in run("import site; site.main()\nimport lineage_repo.model.ledger").log.bytes()


def test_a_box_finds_the_hosts_libraries(run: Run) -> None:
    box = run("import subprocess; subprocess.run(['/sbin/ldconfig', '-p'], check=True)")
    assert box.exit_code == 0
    assert b"libc.so.6" in box.log.bytes()


def test_a_box_that_sleeps_is_killed_at_its_limit(run: Run) -> None:
    begun = time.monotonic()
    box = run("import time; time.sleep(60)", seconds=0.3)
    assert box.exit_status == "timeout"
    assert 0.3 <= box.wall_s <= time.monotonic() - begun < 20


def test_nothing_that_a_box_started_outlives_it(run: Run) -> None:
    marker = f"espalier-marker-{os.getpid()}"
    source = (
        "import os, time\n"
        f"if os.fork() == 0:\n os.setsid()\n os.execv('/usr/bin/sleep', [{marker!r}, '60'])\n"
        "time.sleep(0.2)"
    )
    assert run(source).exit_status == "ok"
    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if marker.encode() in _read(p)]


def test_boxes_leave_no_descriptor_open(run: Run) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        run("pass")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


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
    assert box.exit_status in {"memory", "crash"}


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
    assert sealed.status == verdict
    assert (tmp_path / "sealed" / "a").exists() == (verdict == "ok")


def test_a_large_artifact_is_sealed_in_little_memory(tmp_path: Path) -> None:
    body = os.urandom(1 << 20) * 12 + b"end"
    (tmp_path / "a").write_bytes(body)
    tracemalloc.start()
    sealed = sealed_at(tmp_path, "a", len(body), tmp_path / "sealed" / "a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000
    assert sealed == Sealed("ok", len(body), hashlib.sha256(body).hexdigest())
    assert (tmp_path / "sealed" / "a").read_bytes() == body


def test_a_file_that_is_longer_than_it_says_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "sealed" / "a"
    assert sealed_at(Path("/proc/self"), "status", 99, target) == Sealed("oversize", 100)
    assert not target.exists()


def sealed_at(folder: Path, path: str, most: int, target: Path) -> Sealed:
    out = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return seal(out, path, most, target)
    finally:
        os.close(out)


def test_without_bubblewrap_nothing_runs_and_the_remedy_is_named(run: Run, host: Host) -> None:
    with pytest.raises(SandboxError, match="espalier doctor"):
        run("pass", bwrap="no-such-bwrap")
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        SelfTest.run(host.model_copy(update={"bwrap": "no-such-bwrap"}))


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        ("bwrap: No permissions to create new namespace, likely because the kernel does not allow", "docker"),
        ("bwrap: Failed to make / slave: Permission denied", "docker"),
        ("bwrap: setting up uid map: Permission denied", "Ubuntu 24.04"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "Ubuntu 24.04"),
        ("bwrap: Unknown option --disable-userns", "older than 0.8"),
        ("bwrap: something else", "espalier doctor"),
    ],
)
def test_every_known_way_of_failing_has_its_remedy(failure: str, advice: str) -> None:
    assert advice in suggest_remedy(failure)


@pytest.mark.parametrize(
    ("wall", "check"),
    [
        ("--unshare-net", "no network"),
        ("--unshare-ipc", "own ipc namespace"),
        ("--unshare-uts --hostname box", "own uts namespace"),
    ],
)
def test_the_self_test_notices_a_missing_wall(
    host: Host, monkeypatch: pytest.MonkeyPatch, wall: str, check: str
) -> None:
    words = bwrap_args._WALLS.replace("--unshare-cgroup-try ", "")  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(bwrap_args, "_WALLS", words.replace(wall, ""))
    test = SelfTest.run(host)
    assert test.level == "none"
    assert any(line.startswith(check) for line in test.open)
    assert check in str(test.below("bwrap"))


def test_the_self_test_finds_every_wall_and_says_what_the_kernel_does_not_count(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert SelfTest.run(host).below("bwrap") is None
    monkeypatch.setattr(cgroup, "_ROOT", tmp_path)
    test = SelfTest.run(host)
    assert (test.level, len(test.open)) == ("bwrap", 2)
    assert "requires 'bwrap+cgroup'" in str(test.below("bwrap+cgroup"))


def test_processes_and_files_are_bounded_without_a_control_group_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cgroup, "_ROOT", tmp_path)
    if os.geteuid() == 0:  # the kernel limits no processes of root, under whatever name
        run = functools.partial(run, drops_root=True)
    forks = (
        "import os, time\ncount = 0\n"
        "try:\n while count < 100:\n  if os.fork() == 0: time.sleep(9)\n  count += 1\n"
        "except BlockingIOError: print(count < 32)\n"
    )
    assert run(forks).log.bytes() == b"True\n"
    empty = "import time\nfor i in range(3000): open(f'/tmp/{i}', 'w').close()\ntime.sleep(9)"
    assert run(empty, scratch_files=2000).exit_status == "files"


def test_a_box_sees_no_path_that_names_the_trial(run: Run) -> None:
    output = run("print(open('/proc/1/cmdline').read(), open('/proc/self/mountinfo').read())").log.bytes()
    assert b"--ro-bind" not in output
    assert b"/recipe" in output


def test_a_box_gets_only_the_gpus_that_it_leased(
    run: Run, host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make devices to stand for GPUs")
    for name, minor in {"nvidia0": 3, "nvidia1": 5, "nvidia2": 7, "nvidiactl": 3, "nvidia-modeset": 3}.items():
        os.mknod(tmp_path / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
    monkeypatch.setattr(bwrap_args, "DEVICES", tmp_path)
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    with gpus.lease(host, 1) as first, gpus.lease(host, 1) as second:
        assert (first, second) == ((0,), (1,))
        with pytest.raises(SandboxError, match="only 1 are free"), gpus.lease(host, 2):
            pass
        source = "import glob\nprint(sorted(glob.glob('/dev/nvidia*')), open('/dev/nvidia1', 'rb').read(2))"
        output = run(source, gpus=second).log.bytes().decode()
    assert output == "['/dev/nvidia1', '/dev/nvidiactl'] b'\\x00\\x00'\n"


def test_without_walls_a_box_is_a_process_with_the_same_protocol_and_end(tmp_path: Path) -> None:
    source = (
        "import os, sys, time\n"
        "control = os.fdopen(int(os.environ['ESPALIER_CONTROL']), 'r+b', buffering=0)\n"
        "control.write(b'READY\\n'); print(control.readline())\n"
        "open('artifact', 'w').write(open(os.environ['ESPALIER_DATA'] + '/x').read())\n"
        "if os.fork() == 0:\n os.close(1); os.close(2); time.sleep(60)\n"
    )
    spec = spec_of(tmp_path, source, walls=False, ready_s=10.0)
    with Box(spec, "bare") as box:
        assert box.wait_ready()
        (spec.data / "x").write_text("42")
        box.go(7)
        box.wait()
        sealed = seal(box.out, "artifact", 10, tmp_path / "sealed" / "artifact")
    assert (box.exit_status, sealed.status, box.log.bytes()) == ("ok", "ok", b"b'GO 7\\n'\n")
    assert "network" not in box.isolation()
    with Box(spec_of(tmp_path, "import time; time.sleep(60)", walls=False, seconds=0.2), "bare") as box:
        box.release()
        box.wait()
    assert box.exit_status == "timeout"


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


@pytest.mark.parametrize("advice", [20, 21])
def test_no_box_can_evict_pages_of_a_file(run: Run, advice: int) -> None:
    source = (
        "import ctypes, errno, mmap, os, sys\n"
        "pages = mmap.mmap(os.open(sys.executable, os.O_RDONLY), 4096, mmap.MAP_PRIVATE)\n"
        "at = ctypes.addressof(ctypes.c_char.from_buffer(pages))\n"
        "span, call = (ctypes.c_size_t * 2)(at, 4096), ctypes.CDLL(None, use_errno=True).syscall\n"
        f"print(call(440, os.pidfd_open(os.getpid()), span, 1, {advice}, 0), ctypes.get_errno() == errno.ENOSYS)\n"
    )
    assert run(source).log.bytes() == b"-1 True\n"


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
    assert box.exit_status in {"memory", "crash"}


def test_files_in_memory_are_refused_if_the_kernel_does_not_count_them(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = (
        "import ctypes, os\n"
        "try: os.memfd_create('x')\n"
        "except PermissionError: print('refused')\n"
        "if ctypes.CDLL(None).shmget(0, 4096, 0o1600) < 0: print('refused')\n"
    )
    box = run(source)
    assert box.log.bytes() == (b"" if box.isolation()["memory"] == "limited" else b"refused\nrefused\n")
    monkeypatch.setattr(cgroup, "_ROOT", tmp_path)
    assert run(source).log.bytes() == b"refused\nrefused\n"
