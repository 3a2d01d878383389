"""An agent does not outlive the loop that started it, even if the loop is killed."""

import os
import subprocess
import sys

import pytest

from agent_client.session import pdeathsig

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")

PARENT = """
import os, subprocess, sys
child = [sys.executable, "-I", "-S", sys.argv[1], str(os.getpid()), "/bin/sh", "-c", "echo ready; exec sleep 600"]
subprocess.Popen(child).wait()
"""


def test_a_tethered_program_dies_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, pdeathsig.__file__], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        parent.kill()
        # The child holds the other end of this pipe: the read ends when it does.
        assert parent.stdout.read() == b""


def test_a_program_whose_parent_is_gone_already_is_not_started() -> None:
    command = [sys.executable, "-I", "-S", pdeathsig.__file__, str(os.getppid()), "/bin/echo", "started"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"is gone" in done.stderr


def test_the_program_gets_its_arguments_unchanged() -> None:
    odd = ["--flag=a b", "", "'$HOME'", "-I"]
    command = [sys.executable, "-I", "-S", pdeathsig.__file__, str(os.getpid()), "/usr/bin/printf", "%s\\n", *odd]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    assert done.stdout.splitlines() == odd
