"""Compile kernel.c; what is left in /out/kernel is what will be timed."""

import os
import subprocess
from pathlib import Path

OPTIMISE = 0  # [flags] the number after -O; 0 to 3
UNROLL = 0  # [flags] whether loops are unrolled, -funroll-loops; 0 to 1
NATIVE = 0  # [flags] whether this processor's own instructions are used, -march=native; 0 to 1
FAST_MATH = 0  # [flags] whether sums may be reordered and rounded otherwise, -ffast-math; 0 to 1
BLOCK = 8  # [code] points whose sums grow together in the inner loop; 1 to 64

flags = [f"-O{OPTIMISE}", f"-DBLOCK={BLOCK}"]
flags += ["-funroll-loops"] * UNROLL + ["-march=native"] * NATIVE + ["-ffast-math"] * FAST_MATH
source, out = Path(__file__).parent / "kernel.c", Path(os.environ["ESPALIER_OUT"])
subprocess.run(["gcc", *flags, "-o", out / "kernel", source, "-lm"], check=True)
