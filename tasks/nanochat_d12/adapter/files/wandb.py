"""Stands in for the service of that name, which base_train imports and its run "dummy" never uses."""
