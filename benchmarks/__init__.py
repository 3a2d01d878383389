"""Measurements that are too noisy for tests; each compares two things in one run.

Run a benchmark as `python -m benchmarks.NAME` from a checkout. `bare`, `cifar`, `simulated_search` and
`tokens` are helpers of the others.
"""
