"""Boxes: how a hostile program runs, and what isolates it."""
