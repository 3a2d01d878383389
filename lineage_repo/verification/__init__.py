"""Check a record that somebody else may have written."""
