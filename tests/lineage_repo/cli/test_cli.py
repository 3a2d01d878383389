"""The commands, as a user types them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lineage_repo.cli.main import COMMANDS, main
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.verdict.judge import paired_gains
from tests.support.trials import prove, submit


def espalier(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def heavy_imports(*arguments: str) -> list[str]:
    """Return which heavy packages a command loads in a process of its own."""
    code = (
        "import json, sys\nfrom lineage_repo.cli.main import main\n"
        f"try: main({list(arguments)!r})\nexcept SystemExit: pass\n"
        "heavy = ('torch', 'mcp', 'claude_agent_sdk', 'git', 'pydantic', 'rich', 'logging')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def test_help_and_status_import_neither_torch_nor_mcp_nor_the_sdk(campaign: Campaign) -> None:
    folder = str(campaign.folder)
    for arguments in (["--help"], ["status", folder], ["log", folder], ["top", folder, "--once"]):
        assert {"torch", "mcp", "claude_agent_sdk"}.isdisjoint(heavy_imports(*arguments))


def test_status_and_log_answer_from_current_files_without_a_heavy_import(campaign: Campaign) -> None:
    folder = str(campaign.folder)
    for arguments in (("status", folder), ("log", folder), ("log", folder, "--json")):
        assert espalier(*arguments).exit_code == 0  # leaves the file for the next call
        assert heavy_imports(*arguments) == []
    assert heavy_imports("--help") == []


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    result = espalier(command, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 100


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("status", "NEW"), "is neither a campaign nor a clone"),
        (("task", "prepare", "toy"), "toy needs no preparation"),
        (("task", "check", "NEW"), "no task"),
        (("show", "OLD", "42"), "no trial 0042"),
    ],
)
def test_an_error_is_json_when_json_was_asked_for(
    campaign: Campaign, tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    places = {"NEW": tmp_path / "new", "OLD": campaign.folder}
    result = espalier(*(places.get(a, a) for a in arguments), "--json")
    answer = json.loads(result.output)
    assert (result.exit_code, answer["schema"], problem in answer["error"]) == (1, "espalier.error/1", True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", "FILE/x", "--task", "toy"),
        ("checkout", "OLD", "0", "FILE/x"),
        ("task", "new", "FILE/x"),
        ("task", "prepare", "cifar10_airbench96", "-o", "FILE"),
        ("report", "OLD", "--figures", "FILE/x"),
    ],
)
def test_a_file_in_place_of_a_folder_is_named_in_one_line(
    campaign: Campaign, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "file").touch()
    places = {"OLD": str(campaign.folder), "FILE": str(tmp_path / "file"), "FILE/x": str(tmp_path / "file" / "x")}
    result = espalier(*(places.get(a, a) for a in arguments))
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
    assert str(tmp_path / "file") in result.output


def test_init_makes_a_campaign_and_refuses_to_make_it_twice(tmp_path: Path) -> None:
    assert espalier("init", tmp_path / "c", "--task", "toy").exit_code == 0
    again = espalier("init", tmp_path / "c", "--task", "toy")
    assert again.exit_code == 1
    assert "is a campaign already" in again.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("init", "NEW", "--task", "tpy"), "no task 'tpy': built in are airbench_cpu"),
        (("init", "NEW", "--task", "toy", "--specialists", "opt,quant"), "no specialist ['quant']; it has model, opt"),
        (("status", "NEW"), "is neither a campaign nor a clone"),
        (("serve", "NEW", "--specialist", "opt"), "espalier init"),
        (("show", "OLD", "42"), "no trial 0042; recorded are 0000 to 0000"),
        (("show", "OLD", "forty"), "'forty' is not a trial number"),
        (("cancel", "OLD", "7"), "trial 0007 is not running; running: none"),
        (("serve", "OLD", "--specialist", "quant"), "no specialist 'quant'"),
        (("checkout", "OLD", "0", "OLD"), "is there already"),
    ],
)
def test_a_wrong_call_prints_one_line_that_says_what_to_do(
    campaign: Campaign, tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    places = {"NEW": str(tmp_path / "new"), "OLD": str(campaign.folder)}
    result = espalier(*(places.get(a, a) for a in arguments))
    assert result.exit_code in {1, 2}
    assert problem in result.output
    assert "Traceback" not in result.output


@pytest.mark.slow
def test_a_relative_folder_works_for_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert espalier("init", "runs/first", "--task", "toy").exit_code == 0
    result = espalier("calibrate", "runs/first", "--if-needed")
    assert (result.exit_code, "baseline" in result.output) == (0, True)
    again = espalier("calibrate", "runs/first", "--if-needed")
    assert "calibrated already: 2 measurements" in again.output
    noise = json.loads(espalier("calibrate", "runs/first", "--if-needed", "--json").stdout)
    assert (noise["measurements"], noise["spreads"]["error"]["n"]) == (2, 3), "two degrees of freedom, within each"
    assert f"{noise['smallest_gain']:.3g} rmse" in result.output


def test_calibrate_warns_when_seeds_change_nothing(tmp_path: Path, calibrated_toy: Path) -> None:
    source = Campaign.open(calibrated_toy).lineage.refresh()
    known = source.calibrations[0]
    campaign = Campaign.create(tmp_path / "c", find_task("toy"))
    same = known.measurement.model_copy(update={"metrics": {"error": (0.5, 0.5), "worst": (1.0, 1.0)}})
    comparison = known.comparison.model_copy(update={"candidate": same, "reference": same})
    campaign.lineage.calibrate(known.model_copy(update={"comparison": comparison}))
    campaign.lineage.open_baseline(source.registered[0].proposal, campaign.settings.digests)
    result = espalier("calibrate", campaign.folder, "--if-needed", "--json")
    assert "error was the same for every seed, so the smallest gain counts" in json.loads(result.stdout)["warnings"][0]


def test_an_uncalibrated_campaign_says_what_is_next(tmp_path: Path) -> None:
    espalier("init", tmp_path / "c", "--task", "toy")
    assert "espalier calibrate" in espalier("status", tmp_path / "c").output
    result = espalier("serve", tmp_path / "c", "--specialist", "opt")
    assert (result.exit_code, "espalier calibrate" in result.output) == (1, True)


def test_a_campaign_of_another_format_is_refused(campaign: Campaign) -> None:
    toml = campaign.folder / "campaign.toml"
    toml.write_text(toml.read_text("utf-8").replace("format = 3", "format = 9"), "utf-8")
    result = espalier("serve", campaign.folder, "--specialist", "opt")
    assert "has format 9, this version reads 3: use the version that made it" in result.output


@pytest.mark.parametrize("line", [f"x = {'9' * 5000}", f"x = {'[' * 5000}{']' * 5000}", "x ="])
def test_campaign_toml_that_no_parser_reads_is_named(campaign: Campaign, line: str) -> None:
    toml = campaign.folder / "campaign.toml"
    toml.write_text(f"{line}\n{toml.read_text('utf-8')}", "utf-8")
    result = espalier("serve", campaign.folder, "--specialist", "opt")
    assert result.exit_code == 1
    assert "campaign.toml can't be read" in result.output


@pytest.mark.parametrize("minutes", ["inf", "nan", "'long'"])
def test_a_setting_that_does_not_fit_is_named_in_one_line(campaign: Campaign, minutes: str) -> None:
    toml = campaign.folder / "campaign.toml"
    toml.write_text(toml.read_text("utf-8").replace("\nminutes = 240.0", f"\nminutes = {minutes}"), "utf-8")
    result = espalier("serve", campaign.folder, "--specialist", "opt")
    assert result.exit_code == 1
    assert "caps.minutes: Input should be a" in result.output
    assert "restore campaign.toml" in result.output
    assert "pydantic" not in result.output


def test_the_reading_commands_agree_with_the_record(campaign: Campaign, tmp_path: Path) -> None:
    submit(campaign.lineage.refresh(), 0.01, body=b"x = 1\n")
    status = json.loads(espalier("status", campaign.folder, "--json").output)
    assert (status["head"]["trial"], status["anchor"]["trial"], status["trials"], status["running"]) == (1, 0, 1, [])
    assert (status["head"]["level"], status["head"]["gain"]["low"] > 0.4) == ("observed", True)
    log = json.loads(espalier("log", campaign.folder, "--json").output)
    assert [t["trial"] for t in log["trials"]] == [1, 0]
    assert "0001 keep observed" in espalier("log", campaign.folder).output
    assert "x = 1" in espalier("diff", campaign.folder, "0", "trial/0001").output
    assert json.loads(espalier("show", campaign.folder, "#1", "--json").output)["number"] == 1
    assert espalier("checkout", campaign.folder, "1", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "lib" / "part.py").read_bytes() == b"y = 2\n"
    assert espalier("verify", campaign.folder).exit_code == 0


@pytest.fixture
def demoted(campaign: Campaign) -> Campaign:
    """A head that was proven, one that was demoted, a trial that is no better than the first, and one that crashed."""
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    prove(lineage)
    submit(lineage, 0.25, parent=1)
    prove(lineage, error=0.35)
    submit(lineage, 0.31, parent=1)
    submit(lineage, parent=1)
    return campaign


def test_status_and_top_show_head_anchor_proof_and_the_smallest_gain(demoted: Campaign) -> None:
    submit(demoted.lineage, 0.2, parent=1)
    for output in (espalier("status", demoted.folder).output, espalier("top", demoted.folder, "--once").output):
        words = " ".join(output.replace("│", " ").split())
        assert re.search(
            r"head 0\.\d{4} rmse #0005 opt: try x \+0\.\d{4} ±0\.\d{4} rmse over the start, observed", words
        )
        assert re.search(r"anchor 0\.\d{4} rmse #0001 .* over the start, replicated", words)
        assert re.search(r"proof 2 replication of #0002 against #0001: refuted, .0\.\d{4} ±0\.\d{4} rmse", words)
        assert re.search(r"a trial finds a gain of 0\.\d{4} rmse with 80 %", words)


def test_the_log_has_a_narrow_line_for_each_trial_proof_and_demotion(demoted: Campaign) -> None:
    lines = espalier("log", demoted.folder).output.splitlines()
    assert max(map(len, lines)) <= 100
    assert [" ".join(line.split()[: 3 - ("discard" in line)]).rstrip(",") for line in lines[3:]] == [
        "0004 crash opt:",
        "0003 discard",
        "demotion of 0002:",
        "proof 2, 0002",
        "0002 keep demoted",
        "proof 1, 0001",
        "0001 keep replicated",
        "0000 baseline " + lines[-1].split()[2],
    ]
    assert re.search(r"[+-]0\.\d{4} ±0\.\d{4} +(tie with|below) 0001", lines[4])
    assert re.search(r"[+-]0\.\d{4} ±0\.\d{4} in 4 blocks, 8 seeds", lines[8])
    shown = json.loads(espalier("log", demoted.folder, "--json").output)
    assert [row["kind"] for row in shown["proofs_and_demotions"]] == ["demotion", "proof", "proof"]
    assert espalier("log", demoted.folder, "--status", "keep").output.count("proof") == 0


def test_rows_of_the_log_that_were_added_equal_those_that_are_made_anew(demoted: Campaign) -> None:
    espalier("log", demoted.folder)
    for error in (0.2, 0.19, None):
        submit(demoted.lineage, error, parent=1)
        added = [espalier("log", demoted.folder, *words).output for words in ((), ("--json",))]
    (demoted.folder / "rows.tsv").unlink()
    anew = [espalier("log", demoted.folder, *words).output for words in ((), ("--json",))]
    assert added[0] == anew[0]
    totals = [[row["gain_over_start"] for row in json.loads(text)["trials"]] for text in (added[1], anew[1])]
    assert [t and pytest.approx(t) for t in totals[0]] == totals[1]


def test_show_prints_both_sides_in_the_order_measured_with_the_gain_of_each_block(demoted: Campaign) -> None:
    lines = espalier("show", demoted.folder, "2").output.splitlines()
    values = {line.split()[0]: line for line in lines if line.startswith(("screen", "blocks", "gain ", "in all"))}
    assert re.match(r"screen +0\.\d{4}  (\(0\.\d{4}\)  )?0\.\d{4}   \(0001\)", values["screen"])
    assert len(re.findall(r"\(0\.\d{4}\)", values["blocks"])) == 4
    assert re.search(r"better than 0001: \+0\.\d{4} rmse, 0\.\d{4} to 0\.\d{4} \(95 %\)", values["gain"])
    assert values["in"].endswith("over the start; demoted by proof 2")
    trial = demoted.lineage.trials[2]
    gains = paired_gains(demoted.lineage.task, trial.comparisons[-1])
    assert any("  ".join(f"{gain:+.4f}" for gain in gains) in line for line in lines)
    assert any(line.startswith("proof 2") and "refuted" in line for line in lines)


def test_show_prints_a_proof_with_its_blocks_outcome_and_price(demoted: Campaign) -> None:
    lines = espalier("show", demoted.folder, "--proof", "2").output
    assert "proof     2: 0002 against 0001, to be replicated" in lines
    assert re.search(r"^outcome +refuted$", lines, re.M)
    assert re.search(r"^price +8 seeds, 0\.\d+ slot hours$", lines, re.M)
    assert "demotion  0002: the head is 0001 again" in lines
    shown = json.loads(espalier("show", demoted.folder, "--proof", "2", "--json").output)
    assert (shown["outcome"], shown["price"]["seeds"], len(shown["comparisons"])) == ("refuted", 8, 1)
    assert "no proof 3; registered are 1 to 2" in espalier("show", demoted.folder, "--proof", "3").output
    for arguments in ((), ("1", "--proof", "1")):
        assert "name either a trial or, by --proof, a proof" in espalier("show", demoted.folder, *arguments).output


def test_verify_exits_with_1_and_names_what_is_wrong(campaign: Campaign) -> None:
    subprocess.run(["git", "-C", campaign.paths.repository, "tag", "trial/0007", "best"], check=True)
    result = espalier("verify", campaign.folder)
    assert result.exit_code == 1
    assert "WRONG  refs/tags/trial/0007" in result.output


def test_doctor_says_what_this_machine_can_run() -> None:
    checks = json.loads(espalier("doctor", "--json").output)["checks"]
    assert checks["sandbox"]["ok"]
    assert checks["recipe interpreter"]["ok"]


def test_task_schema_and_list() -> None:
    assert json.loads(espalier("task", "schema").output)["title"] == "Task"
    assert "airbench_cpu" in espalier("task", "list").output


@pytest.mark.parametrize("arguments", [["status"], ["top", "--once"]])
def test_a_terminal_without_utf_8_shows_escapes(campaign: Campaign, arguments: list[str]) -> None:
    submit(campaign.lineage.refresh(), 1.0)
    command = [sys.executable, "-m", "lineage_repo.cli.main", arguments[0], str(campaign.folder), *arguments[1:]]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"q leaves" not in result.stdout
