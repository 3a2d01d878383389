"""Measurements that are too noisy for tests; each compares two things in one run."""
