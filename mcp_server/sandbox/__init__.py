"""Boxes: how a hostile program runs, and what holds it."""
