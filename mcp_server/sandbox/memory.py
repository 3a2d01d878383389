"""What a box's memory comes to, where no control group counts it: polled, so a fast grower overshoots."""

from contextlib import suppress
from pathlib import Path


def in_use(init: int) -> int:
    """Bytes of every process in the pid namespace of `init`, shared pages split among those that map them."""
    try:
        namespace = Path(f"/proc/{init}/ns/pid").readlink()
    except OSError:
        return 0
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "ns" / "pid").readlink() == namespace:
                total += _share(process)
    return total


def _share(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
