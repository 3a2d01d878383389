"""Become the compiled program once the points are there; nothing of this file is editable."""

import os
import shutil
from pathlib import Path

data, out = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()  # "GO <seed>": the points are there and the clock runs
program = out / "program"
shutil.copyfile(data / "kernel", program)
program.chmod(0o755)
os.execv(program, [str(program), str(data / "points.f64"), str(out / "potential.f64")])  # noqa: S606 - no shell is wanted
