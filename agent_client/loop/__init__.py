"""The campaign loop: who runs when, under which caps."""
