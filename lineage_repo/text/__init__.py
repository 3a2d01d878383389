"""Text on its way in and out: what may be recorded, how it is shown, what is redacted. Pure functions."""
