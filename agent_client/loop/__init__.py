"""The campaign loop: which specialist runs when, under which caps."""
