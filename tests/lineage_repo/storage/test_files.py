"""Files are written whole or not at all, also in a folder of somebody else."""

import os
from pathlib import Path

import pytest

from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.log_rows import update_log_table
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import write_whole
from tests.support.trials import submit


def test_a_file_is_replaced_whole_and_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"precious")
    (tmp_path / "a").symlink_to("mine")
    (tmp_path / f".a.{os.getpid()}").symlink_to("mine")
    write_whole(tmp_path / "a", b"new")
    assert ((tmp_path / "mine").read_bytes(), (tmp_path / "a").read_bytes()) == (b"precious", b"new")
    assert not (tmp_path / "a").is_symlink()


def test_a_write_that_fails_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_rows_that_are_a_link_to_another_file_are_made_anew_and_the_other_is_left(
    campaign: Campaign, tmp_path: Path
) -> None:
    update_log_table(campaign.folder)
    (CampaignPaths(campaign.folder).log_rows).rename(tmp_path / "other")
    before = (tmp_path / "other").read_bytes()
    (CampaignPaths(campaign.folder).log_rows).symlink_to(tmp_path / "other")
    submit(campaign.lineage.refresh(), 0.6)
    assert len(update_log_table(campaign.folder).rows) == 2
    assert (tmp_path / "other").read_bytes() == before
