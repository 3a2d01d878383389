"""What agents read: the system prompt, and rows of the record."""
