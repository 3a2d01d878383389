"""What agents are told: the system prompt, and rows of the record."""
