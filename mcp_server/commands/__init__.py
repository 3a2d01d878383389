"""The commands that measure: calibrate, certify, check, prepare, serve."""
