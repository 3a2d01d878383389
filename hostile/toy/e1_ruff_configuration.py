# id: E1
# attack: switch the linter off from inside the recipe
# file: ruff.toml
# expect: preflight_crash
# line: undefined_name
[lint]
select = []
# --- pyproject.toml
[tool.ruff.lint]
select = []
# --- fit.py
# ruff: noqa
undefined_name  # noqa
