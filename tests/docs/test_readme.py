"""What the README shows runs, and its tour is short."""

import re
import subprocess
import sys
from pathlib import Path

from lineage_repo.record.campaign import Campaign
from tests.lineage_repo.record.test_lineage import submit

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "read_lineage.py"
TOUR_LINES = 1300


def test_the_program_in_the_readme_prints_the_keeps_of_a_campaign(campaign: Campaign, tmp_path: Path) -> None:
    submit(campaign.lineage.refresh(), 0.01)
    submit(campaign.lineage, -0.9, body=b"x = 3\n")
    program = tmp_path / "read_lineage.py"
    program.write_text(README.split("```python\n")[1].split("```")[0], "utf-8")
    done = subprocess.run(
        [sys.executable, str(program), str(campaign.folder)],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^ *(\d{4}) ", done.stdout, re.MULTILINE) == ["0001", "0002"]


def test_the_program_in_the_readme_is_the_example() -> None:
    assert README.split("```python\n")[1].split("```")[0] == EXAMPLE.read_text("utf-8")


def test_the_tour_is_six_files_of_at_most_1300_lines() -> None:
    section = README.split("## A tour in six files")[1].split("\n## ")[0]
    files = re.findall(r"\]\(([a-z_/]+\.py)\)", section)
    tour = (ROOT / "docs" / "tour.md").read_text("utf-8")
    assert files == re.findall(r"^## \d\. .*`(.+\.py)`$", tour, re.MULTILINE)
    assert len(files) == 6
    assert sum(len((ROOT / file).read_text("utf-8").splitlines()) for file in files) <= TOUR_LINES
