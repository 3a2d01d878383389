"""The command `run`: what it refuses before anything starts, each time with the next step."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from lineage_repo.cli.main import main
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task


def refusal(*arguments: object, **environment: str | None) -> str:
    result = CliRunner().invoke(main, ["run", *(str(a) for a in arguments)], env=environment)
    assert result.exit_code == 1
    return result.output


def test_a_folder_that_is_not_a_campaign_is_refused(tmp_path: Path) -> None:
    assert "espalier init" in refusal(tmp_path / "nothing", "--trials", 1, "--model", "standin")


def test_an_uncalibrated_campaign_is_refused_with_the_command_that_calibrates(tmp_path: Path) -> None:
    Campaign.create(tmp_path / "fresh", find_task("toy"))
    folder = tmp_path / "fresh"
    assert f"`espalier calibrate {folder}`" in refusal(folder, "--trials", 1, "--model", "standin")


def test_an_unknown_specialist_is_refused_with_the_known_ones(campaign: Campaign) -> None:
    output = refusal(campaign.folder, "--trials", 1, "--model", "standin", "--specialists", "opt,alchemy")
    assert "no specialist alchemy; it has model, opt" in output


def test_spaces_between_specialists_are_not_part_of_their_names(campaign: Campaign) -> None:
    output = refusal(campaign.folder, "--model", "standin", "--specialists", " opt, alchemy ,")
    assert "no specialist alchemy; it has model, opt" in output


def test_a_run_without_a_model_is_refused(campaign: Campaign) -> None:
    assert "--model standin" in refusal(campaign.folder, "--trials", 1)


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"])
def test_a_real_model_without_credentials_is_refused(campaign: Campaign, name: str) -> None:
    output = refusal(campaign.folder, "--trials", 1, "--model", "claude-sonnet-5", **{name: ""})
    assert "no credentials for claude-sonnet-5: set ANTHROPIC_API_KEY" in output


def test_a_changed_task_is_refused(campaign: Campaign) -> None:
    settings = campaign.folder / "campaign.toml"
    digest = campaign.settings.digests["knowledge"]
    settings.write_text(settings.read_text("utf-8").replace(digest, "0" * 64), encoding="utf-8")
    output = refusal(campaign.folder, "--trials", 1, "--model", "standin")
    assert "campaign.toml was edited: the ledger froze other digests" in output


def test_its_help_needs_no_campaign() -> None:
    shown = CliRunner().invoke(main, ["run", "--help"]).output
    assert "--model NAME" in shown
    assert "the same command resumes" in " ".join(shown.split())
