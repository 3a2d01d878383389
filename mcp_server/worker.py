"""The worker: `python -I -m mcp_server.worker JOBDIR` measures one job and writes its `outcome.json` once."""

import ctypes
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

from lineage_repo.files import write_whole
from lineage_repo.records import Fault, Status
from lineage_repo.text import clipped
from mcp_server.box import SandboxError
from mcp_server.evaluator import EvaluatorError
from mcp_server.job import Job, JobOutcome, JobSpec
from mcp_server.measure import Measuring, elapsed


def work(folder: Path) -> JobOutcome:
    """Measure the job in `folder`; what the harness or the evaluator does wrong is a `harness_abort`."""
    job = Job(folder)
    spec = JobSpec.model_validate_json(job.spec.read_bytes())
    begun = time.monotonic()
    measuring = Measuring(job, spec, lambda text: write_whole(job.progress, f"{text} ({elapsed(begun)})".encode()))
    try:
        outcome = measuring.run()
    except (SandboxError, EvaluatorError, OSError) as error:
        traceback.print_exc()
        fault = Fault(status=Status.HARNESS_ABORT, line=clipped(str(error), 400))
        outcome = JobOutcome(nonce=spec.nonce, measurement=None, fault=fault, isolation=measuring.isolation)
    for scratch in (job.recipe, job.public, job.secret, job.boxes):
        shutil.rmtree(scratch, ignore_errors=True)
    write_whole(job.outcome, outcome.canonical())
    return outcome


if __name__ == "__main__":
    # The worker dies with its runner, and its boxes with it.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    work(Path(sys.argv[1]))
