"""The record: types, task manifest, git store, views. Imports nothing else of ours."""
