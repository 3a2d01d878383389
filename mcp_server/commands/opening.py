"""Open a campaign to measure in it."""

import os
from pathlib import Path

from lineage_repo.record.campaign import Campaign
from mcp_server.sandbox import host as hosts
from mcp_server.trial.executor import LocalExecutor, require


def open_to_measure(directory: Path) -> tuple[Campaign, LocalExecutor]:
    """Open the campaign in `directory` with an executor of this host; commands call it first.

    Raises:
        CampaignError: there is no campaign to open.
        HostError: this host's configuration is wrong, or it can't measure the campaign.
    """
    campaign, executor = Campaign.open(directory), LocalExecutor(hosts.load(os.environ))
    require(executor, campaign)
    return campaign, executor
