"""Coverage-guided fuzzing of everything that reads strangers' bytes: `make fuzz`, or `tests/fuzz/run.py TARGET SECONDS`."""
