"""Every relative link and anchor in the prose points to a file and a heading that exist; every line is short."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = {"cli.md"}
"""Pages whose width the command line decides."""
PAGES = sorted(
    path for pattern in ("*.md", "docs/*.md", "hostile/README.md", "tasks/*/README.md") for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")


def heading_anchors(text: str) -> set[str]:
    """The anchors that GitHub and mkdocs give to the headings of a page."""
    headings = re.findall(r"^#{1,6} +(.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def page_links(text: str) -> list[str]:
    """The targets of a page's links, code left out."""
    return _LINK.findall(_CODE.sub("", _FENCE.sub("", text)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_points_to_something(page: Path) -> None:
    for link in page_links(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link}: no such file"
        if anchor:
            assert anchor in heading_anchors(target.read_text("utf-8")), f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_line_of_prose_fits_in_120_columns(page: Path) -> None:
    if page.name in GENERATED:
        return
    text = _FENCE.sub("", page.read_text("utf-8"))
    assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")] == []


def test_every_page_of_docs_is_in_the_site() -> None:
    named = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= set(named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_of_ours_that_a_page_names_exists(page: Path) -> None:
    for name in re.findall(
        r"`((?:lineage_repo|mcp_server|agent_client|tests|docs)/[\w/.-]*)`", page.read_text("utf-8")
    ):
        assert (ROOT / name).exists(), name
