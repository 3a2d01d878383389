"""The MCP server of one specialist: tools, working copy, replies."""
