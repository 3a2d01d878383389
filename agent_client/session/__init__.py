"""One session of the Claude Agent SDK, with its guards, limits and files."""
