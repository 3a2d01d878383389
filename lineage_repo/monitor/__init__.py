"""Where a campaign stands at this moment, from files alone.

Only `from_git` of this room is heavy: it reads git, and importing GitPython and pydantic takes several times as long as
an answer from a file. `load_overview`, `load_log_table` and `draw_graph` therefore import it inside the function, once
a file turns out to be of no use.
"""
