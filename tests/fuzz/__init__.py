"""Coverage-guided fuzzing of everything that reads strangers' bytes: `make fuzz`, or `python -m tests.fuzz.run TARGET SECONDS`."""
