"""A hook of mkdocs: pages that lie outside docs/ join the site, and links to other files become plain text."""

import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "hostile/README.md": "hostile.md",
    **{
        f"tasks/{path.parent.name}/README.md": f"tasks/{path.parent.name}.md"
        for path in ROOT.glob("tasks/[a-z]*/README.md")
    },
}
"""Where each outside page stands in the site."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the outside pages."""
    for source, name in PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at pages of the site; a link to a file that is no page keeps its text alone."""
    here = page.file.src_uri
    source = {name: path for path, name in PAGES.items()}.get(here, f"docs/{here}")

    def rewrite(link: re.Match[str]) -> str:
        mark, text, target, anchor = link[1], link[2], link[3], link[4] or ""
        if not target or ":" in target:
            return link[0]
        path = normpath(join(dirname(source), target))
        inside = path.removeprefix("docs/") if path.startswith("docs/") else PAGES.get(path)
        return f"{mark}[{text}]({relpath(inside, dirname(here) or '.')}{anchor})" if inside else text

    return _LINK.sub(rewrite, markdown)
