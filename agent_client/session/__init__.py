"""One session of the Claude Agent SDK, and what holds it."""
