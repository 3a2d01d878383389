"""Kill a writer at random points; nothing that was acknowledged may be lost or torn."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineage_repo.campaign import Campaign
from lineage_repo.verify import verify

KILLS = int(os.environ.get("ESPALIER_KILLS", "25"))
WRITER = """
import sys
from pathlib import Path
from lineage_repo import claims
from lineage_repo.campaign import Campaign
from tests.test_lineage import measurement, proposal

campaign = Campaign.open(Path(sys.argv[1]))
lineage = campaign.lineage.refresh()
campaign.recover()
lineage.repair_refs()
while True:
    body = f"x = {len(lineage.started)}\\n".encode()
    held = []
    claim = lambda n: held.append(claims.claim(campaign.trial_folder(n)))
    number = lineage.register(proposal(lineage, body=body), lineage.campaign.digests, claim)
    print("started", number, flush=True)
    lineage.record(number, measurement(0.5), None, attempts=1, isolation={"level": "bwrap"})
    print("recorded", number, flush=True)
    claims.release(held[0])
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_acknowledged_trial_is_lost_when_the_writer_is_killed(campaign: Campaign) -> None:
    chance = random.Random(20261121)
    acknowledged: dict[str, set[int]] = {"started": set(), "recorded": set()}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    for kill in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(campaign.folder)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        assert writer.stdout
        lines = [writer.stdout.readline()]
        deadline = time.monotonic() + chance.uniform(0, 0.4)
        while time.monotonic() < deadline:
            lines.append(writer.stdout.readline())
        os.killpg(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        for word, number in (line.split() for line in lines if line.endswith("\n")):
            acknowledged[word].add(int(number))
        if kill % 25 == 24 or kill == KILLS - 1:
            now = Campaign.open(campaign.folder)
            lineage = now.lineage.refresh()
            assert acknowledged["started"] <= set(lineage.started)
            assert acknowledged["recorded"] <= set(lineage.trials)
            now.recover()
            lineage.repair_refs()
            report = verify(lineage.store)
            assert report.problems == ()
            assert report.unfinished == ()
            assert sorted(lineage.trials) == list(range(len(lineage.trials)))
