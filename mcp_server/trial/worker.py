"""The worker: `python -I -m mcp_server.trial.worker JOBDIR` measures one job and writes its `result.json` once."""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

from lineage_repo.errors import EspalierError
from lineage_repo.model.measurement import Fault, Status
from lineage_repo.storage.files import clear_staged, write_whole
from lineage_repo.text.sanitize import clip
from mcp_server.trial.job import Job, JobResult, JobSpec
from mcp_server.trial.measure import MeasureJob


def work(folder: Path) -> JobResult:
    """Measure the job in `folder`; what the harness or the evaluator does wrong is a `harness_abort`."""
    job = Job(folder)
    spec = JobSpec.model_validate_json(job.spec.read_bytes())
    begun = time.monotonic()
    measuring = MeasureJob(job, spec, lambda text: write_whole(job.progress, f"{text} ({_elapsed(begun)})".encode()))
    try:
        outcome = measuring.run()
    except (EspalierError, OSError) as error:
        traceback.print_exc()
        fault = Fault(status=Status.HARNESS_ABORT, failure=clip(str(error), 400))
        outcome = JobResult(nonce=spec.nonce, measurement=None, fault=fault, isolation=measuring.isolation)
    finally:
        clear_staged(job)
    write_whole(job.result, outcome.canonical())
    return outcome


def _elapsed(since: float) -> str:
    """Minutes and seconds since a monotonic moment."""
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    return f"{minutes}:{seconds:02d}"


def _end(*_: object) -> None:
    sys.exit(1)


if __name__ == "__main__":
    # The boxes' user must be able to read what is staged; the job folder itself is the owner's alone.
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _end)
    work(Path(sys.argv[1]))
