"""The worker: `python -I -m mcp_server.trial.worker JOBDIR` measures one job and writes its `result.json` once."""

import logging
import os
import signal
import sys
import time
from pathlib import Path

from lineage_repo.errors import EspalierError
from lineage_repo.progress import progress_to
from lineage_repo.storage.files import clear_staged, write_whole
from mcp_server.trial.job import Job, JobResult, JobSpec
from mcp_server.trial.measure import MeasureJob


def work(folder: Path) -> JobResult:
    """Measure the job in `folder`; a failure of the harness or the evaluator becomes a `harness_abort`."""
    job = Job(folder)
    spec = JobSpec.model_validate_json(job.spec.read_bytes())
    begun = time.monotonic()
    measuring = MeasureJob(job, spec)
    try:
        with progress_to(lambda line: write_whole(job.progress, f"{line} ({_elapsed(begun)})".encode())):
            result = measuring.run()
    except (EspalierError, OSError) as error:
        logging.getLogger("espalier.trial").exception("the harness failed")
        result = JobResult.abort(str(error), nonce=spec.nonce, isolation=measuring.isolation)
    finally:
        clear_staged(job)
    write_whole(job.result, result.canonical())
    return result


def _elapsed(since: float) -> str:
    """Format the time since a monotonic moment as minutes and seconds."""
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    return f"{minutes}:{seconds:02d}"


def _end(*_: object) -> None:
    sys.exit(1)


if __name__ == "__main__":
    # The boxes' user must be able to read what is staged; the job folder itself is the owner's alone.
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _end)
    work(Path(sys.argv[1]))
