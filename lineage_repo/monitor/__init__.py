"""Where a campaign stands at this moment, from files alone."""
