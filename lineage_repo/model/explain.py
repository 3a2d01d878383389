"""Explain to its author what is wrong with a settings file."""

import difflib
from typing import Any

from pydantic import ValidationError

from lineage_repo.model.measurement import Record
from lineage_repo.text.escape import escape_line


def explain_validation(error: ValidationError, model: type[Record], whole: str) -> str:
    """Return one line per problem, with a suggestion for unknown keys; `whole` names the file, for want of a key."""
    return "\n".join(_explain(problem, model, whole) for problem in error.errors())


def _explain(problem: Any, model: type[Record], whole: str) -> str:
    where = ".".join(escape_line(str(part)) for part in problem["loc"]) or whole
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
    known = _list_keys(model)
    close = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
    return f"{where}: unknown key" + (
        f"; did you mean {close[0]!r}?" if close else f"; known keys: {', '.join(sorted(known))}"
    )


def _list_keys(model: type[Record]) -> list[str]:
    schema = model.model_json_schema()
    return [key for part in (schema, *schema.get("$defs", {}).values()) for key in part.get("properties", {})]
