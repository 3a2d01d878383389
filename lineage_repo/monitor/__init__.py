"""Where a campaign stands at this moment, from files alone.

Only `from_git` and `log_rows` of this room are heavy: they read git, and importing GitPython and pydantic takes several
times as long as an answer from a file. `health` and the command `log` therefore import them inside a function, once a
file turns out to be of no use. The linter of imports sees these imports like any other.
"""
