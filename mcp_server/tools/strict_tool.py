"""A tool that refuses unknown arguments and explains wrong ones in one line, since mcp 2.x does neither."""

import difflib
from collections.abc import Callable
from typing import Any, Self

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import ConfigDict, ValidationError, create_model


class StrictTool(Tool):
    """A tool with a closed argument schema."""

    @classmethod
    def of(cls, function: Callable[..., Any], annotations: ToolAnnotations) -> Self:
        """Make a tool of a typed function, whose docstring the model reads."""
        tool = cls.from_function(function, annotations=annotations)
        assert isinstance(tool, cls)  # noqa: S101 (from_function builds what it is called on)
        loose = tool.fn_metadata.arg_model
        strict = create_model(loose.__name__, __base__=loose)
        strict.model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")
        strict.model_rebuild(force=True)
        tool.fn_metadata.arg_model = strict
        tool.parameters = strict.model_json_schema(by_alias=True)
        return tool

    async def run(self, arguments: dict[str, Any], context: Any, convert_result: bool = False) -> Any:
        """Check the arguments, then run; raise `ToolError` with one line per problem."""
        try:
            self.fn_metadata.validate_arguments(arguments)
        except ValidationError as error:
            raise ToolError(
                f"{self.name}: " + "; ".join(self._explain(problem) for problem in error.errors())
            ) from None
        return await super().run(arguments, context, convert_result=convert_result)

    def _explain(self, problem: Any) -> str:
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = list(self.fn_metadata.arg_model.model_fields)
            if close := difflib.get_close_matches(where, known, n=1):
                return f"no argument {where!r}; did you mean {close[0]!r}?"
            return f"no argument {where!r}; it takes {', '.join(known) or 'none'}"
        return f"{where} {problem['msg'].removeprefix('Value error, ')}"
