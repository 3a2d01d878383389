"""Trials in and out in formats of other programs."""
