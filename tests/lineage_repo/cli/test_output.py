"""Whatever a record or a file beside it holds, the terminal shows it and does nothing else."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from lineage_repo.cli.output import print_answer, print_rows, show_progress
from lineage_repo.model.measurement import now
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.progress import report_progress
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage import locks
from lineage_repo.storage.store import Store
from lineage_repo.text.escape import escape_line, escape_text
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.monitor.test_control import write_state
from tests.support.trials import submit

EVIL = "\x1b]0;owned\x07\u202eevil\nFAKE 0001 keep\r"


@pytest.fixture
def folder(campaign: Campaign, tmp_path: Path) -> Path:
    """A campaign whose name, title, unit, isolation, recipe, session and rows were written by somebody hostile."""
    source = campaign.lineage.refresh()
    assert source.campaign
    folder = tmp_path / "evil"
    task = source.campaign.task | {"title": EVIL, "objective": source.campaign.task["objective"] | {"unit": EVIL[:16]}}
    lineage = Lineage(Store.create(folder / "lineage.git"))
    lineage.open_campaign(source.campaign.model_copy(update={"name": EVIL, "task": task}))
    calibration = source.calibrations[0]
    lineage.calibrate(calibration.model_copy(update={"isolation": calibration.isolation | {EVIL: EVIL}}))
    lineage.store.write_tree(source.read_recipe(0))
    lineage.open_baseline(source.registered[0].proposal, source.campaign.digests)
    submit(lineage, 0.9, body=f"x = {EVIL}\n".encode())
    report = SessionRecord(
        session=EVIL, specialist="opt", model="m", started=now(), ended=now(), submits=1, error=EVIL,
        end_reason=EndReason.CRASH,
    )  # fmt: skip
    (folder / "sessions" / "s").mkdir(parents=True)
    (folder / "sessions" / "s" / "session.json").write_bytes(report.canonical())
    return folder


def test_every_reading_command_shows_hostile_text_as_what_it_is(folder: Path) -> None:
    calls = ["status", "log", "log --graph", "show 0", "show 0 --json", "sessions", "analyze", "top --once", "diff 0 1"]
    for call in (*calls, "log", "verify"):
        command, *rest = call.split()
        result = espalier(command, folder, *rest)
        assert result.exit_code == 0, (call, result.output, result.exception)
        wild = [c for c in result.output if unicodedata.category(c)[0] == "C" and c not in "\n\t"]
        assert (call, wild) == (call, [])
        assert call == "diff 0 1" or not re.search("^FAKE", result.output, re.M), call


def test_top_shows_markup_as_plain_text(campaign: Campaign) -> None:
    for word in ("[/x]", "[blink red]hi[/]"):
        live = {"session": "s", "specialist": "opt", "turns": 1, "tokens": 2, "trials": [1], "doing": word}
        write_state(campaign, live=[live | {"since": now().isoformat(), "heard": now().isoformat()}])
        descriptor = locks.acquire(campaign.folder / "run")
        assert word in espalier("top", campaign.folder, "--once").output
        locks.release(descriptor)


def test_a_text_keeps_its_lines_and_a_line_has_none() -> None:
    assert escape_text("a\tb\r\nc\rd\n\x1b[2J\u202e") == "a\tb\r\nc\\rd\n\\x1b[2J\\u202e"
    assert escape_line("a\tb\u2028é\u00a0\n") == "a\\tb\\u2028é\u00a0\\n"


def test_only_the_output_module_prints() -> None:
    root = Path(__file__).parents[3] / "lineage_repo"
    assert [p.name for p in root.rglob("*.py") if "click.echo(" in p.read_text("utf-8")] == ["output.py"]


def test_rows_are_aligned_and_empty_ones_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([("hypothesis", "a\nb"), ("notes", ""), "a line", ("best", "1")])
    assert capsys.readouterr().out == "hypothesis a\\nb\na line\nbest       1\n"
    print_rows([], missing="nothing matches")
    assert capsys.readouterr() == ("", "nothing matches\n")


def test_an_answer_is_either_json_with_its_schema_or_rows(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(True, "toy", {"n": 1}, iter(["never shown"]))
    assert json.loads(capsys.readouterr().out) == {"schema": "espalier.toy/1", "n": 1}
    print_answer(False, "toy", {"n": 1}, iter([("n", "1")]))
    assert capsys.readouterr().out == "n         1\n"


def test_progress_is_shown_on_standard_error_while_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress():
        report_progress(f"half {EVIL}")
    report_progress("nobody listens")
    assert capsys.readouterr() == ("", f"half {escape_line(EVIL)}\n")


def test_show_prints_json_that_reads_as_the_record(campaign: Campaign) -> None:
    trial = campaign.lineage.refresh().trial(0)
    assert json.loads(espalier("show", campaign.folder, "0", "--json").output) == json.loads(trial.canonical())
