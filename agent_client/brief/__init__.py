"""The opening message of a session."""
