"""Write docs/cli.md and docs/manifest.md from the code; with `--check`, write nothing and refuse stale ones."""

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lineage_repo.cli.main import main as espalier
from lineage_repo.model import ledger, manifest, objective, upstream

DOCS = Path(__file__).parent
WIDTH = 100
_NOTE = "<!-- Written by docs/generate.py. Do not edit. -->"
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "maxLength": "at most {} characters",
    "minLength": "at least {} characters",
    "minItems": "at least {} of them",
}

Schema = dict[str, Any]


def command_pages(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
    """Yield the help text of `command` and of every command below it, as sections."""
    context = command.make_context(
        name, [], parent, resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            if below := command.get_command(context, child):
                yield from command_pages(below, child, context)


def write_cli_page() -> str:
    """Return docs/cli.md: the help of every command."""
    intro = "# The command line\n\n" + _NOTE + "\n\nEvery command, with what `--help` prints.\n"
    return "\n".join([intro, *command_pages(espalier, "espalier")])


def field_docstrings(module: Any) -> dict[tuple[str, str], str]:
    """Map (class, field) to the docstring under the field, for every class of `module`."""
    texts: dict[tuple[str, str], str] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef):
            for field, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    match after:
                        case ast.Expr(value=ast.Constant(value=str(text))):
                            texts[node.name, field.target.id] = " ".join(text.split())
                        case _:
                            pass
    return texts


def describe_type(schema: Schema) -> str:
    """Say what one key takes, in words."""
    options = schema.get("anyOf", [schema])
    known = [option for option in options if option.get("type") != "null"]
    return " or ".join(_describe_option(option) for option in known)


def _describe_option(schema: Schema) -> str:
    if "$ref" in schema:
        return "a table, below"
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    bounds = [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema]
    if schema.get("type") == "array":
        items = schema.get("items", {})
        words = "tables, below" if "$ref" in items else f"a list of: {_describe_option(items)}"
    elif schema.get("type") == "object":
        words = "tables by name, below" if "$ref" in _values(schema) else "values by name"
    else:
        words = _TYPES.get(schema.get("type", ""), "any value")
    if "pattern" in schema:
        bounds.append(f"matching `{schema['pattern']}`")
    return ", ".join([words, *bounds])


def _values(schema: Schema) -> Schema:
    """The schema of a mapping's values, whether or not its keys must match a pattern."""
    patterns: dict[str, Schema] = schema.get("patternProperties", {})
    plain: Schema | bool = schema.get("additionalProperties", False)
    if isinstance(plain, bool):
        return next(iter(patterns.values())) if patterns else Schema()
    return plain


def find_table(schema: Schema, heading: str) -> tuple[str, str] | None:
    """The class and the TOML heading of the table that a key holds; None where it holds plain values."""
    for option in schema.get("anyOf", [schema]):
        for holder, shape in (
            (option, "[{}]"),
            (option.get("items", {}), "[[{}]]"),
            (_values(option), "[{}.NAME]"),
        ):
            if "$ref" in holder:
                return str(holder["$ref"]).rsplit("/", 1)[1], shape.format(heading)
    return None


def describe_tables(schema: Schema, texts: dict[tuple[str, str], str]) -> Iterator[str]:
    """Yield a section for the top level and for each table, in the order in which the manifest names them."""
    waiting: list[tuple[str, str, str, Schema]] = [("Task", "Top level", "", schema)]
    while waiting:
        name, title, path, table = waiting.pop(0)
        rows = [f"## {title}\n", table.get("description", "").split("\n\n")[0].strip() + "\n"]
        for key, value in table["properties"].items():
            if key in table.get("required", []):
                default = "Required"
            elif value.get("default") is None or isinstance(value["default"], dict):
                default = "Optional"
            else:
                default = f"Default: `{json.dumps(value['default'])}`"
            line = f"- `{key}`: {describe_type(value)}. {default}. {texts.get((name, key), '')}".rstrip()
            rows += textwrap.wrap(line, 118, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
            if found := find_table(value, f"{path}{key}"):
                waiting.append((found[0], f"`{found[1]}`", f"{path}{key}.", schema["$defs"][found[0]]))
        yield "\n".join(rows) + "\n"


def write_manifest_page() -> str:
    """Return docs/manifest.md: every table and key of task.toml."""
    pages = (manifest, objective, upstream, ledger)
    texts = {key: text for page in pages for key, text in field_docstrings(page).items()}
    intro = (
        f"# The manifest\n\n{_NOTE}\n\nEvery key of `task.toml`. Unknown keys are refused. `espalier task schema` "
        "prints\nthe JSON schema, and [tasks.md](tasks.md) leads from a training script to a task.\n"
    )
    return "\n".join([intro, *describe_tables(manifest.Task.model_json_schema(), texts)])


def main(arguments: list[str]) -> int:
    """Write both pages; with `--check` write nothing and return 1 where one is stale."""
    stale: list[str] = []
    for name, text in {"cli.md": write_cli_page(), "manifest.md": write_manifest_page()}.items():
        page = DOCS / name
        if not page.is_file() or page.read_text("utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                page.write_text(text, "utf-8")
    if stale and "--check" in arguments:
        click.echo(f"stale: {', '.join(stale)}; run `python docs/generate.py`", err=True)
        return 1
    click.echo(f"written: {', '.join(stale)}" if stale else "docs/cli.md and docs/manifest.md are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
