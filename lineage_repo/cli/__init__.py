"""The `espalier` command. Only this room prints."""
