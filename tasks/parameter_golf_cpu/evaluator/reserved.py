"""The last measurement of a search's winner: as evaluate.py, on the docstrings that no search has seen."""

import functools

import evaluate
import verbs

if __name__ == "__main__":
    verbs.run(functools.partial(evaluate.prepare, reserved=True), evaluate.score, evaluate.dialogue)
