"""Text on its way in and out: what may be recorded, and what must be redacted. Pure functions."""
