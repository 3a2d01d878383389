"""The paper's claims as data, and the command that recomputes them."""

from pathlib import Path

from click.testing import CliRunner

from benchmarks.paper.__main__ import main
from benchmarks.paper.comparison import read_claims
from benchmarks.paper.computations import COMPUTATIONS


def test_a_folder_without_the_release_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path)])
    assert result.exit_code == 1
    assert "holds none of the paper's runs" in result.output


def test_every_claim_names_a_computation_or_a_source_that_was_not_released() -> None:
    claims = read_claims()
    for claim in claims.claims:
        released = set(claim.runs) <= set(claims.runs)
        assert (claim.compute in COMPUTATIONS) == released, claim.quantity
    assert {claim.compute for claim in claims.claims if claim.compute} == COMPUTATIONS.keys()
