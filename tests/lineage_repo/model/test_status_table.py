"""The table of statuses knows exactly the statuses that a trial can have."""

import subprocess
import sys

from lineage_repo.model.measurement import Status
from lineage_repo.model.status_table import FAMILIES, STATUSES, family


def test_every_status_has_exactly_one_family() -> None:
    assert sorted(STATUSES) == sorted(status.value for status in Status)
    assert sum(len(group.members) for group in FAMILIES) == len(Status)
    assert {family(status).name for status in Status} == {group.name for group in FAMILIES}


def test_families_can_be_told_apart_without_colour() -> None:
    assert len({group.mark for group in FAMILIES}) == len(FAMILIES)
    assert len({(group.shape, group.light) for group in FAMILIES}) == len(FAMILIES)


def test_the_table_is_imported_without_pydantic() -> None:
    code = "import sys, lineage_repo.model.status_table; print('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
