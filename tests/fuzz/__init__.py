"""Coverage-guided fuzzing of all code that reads strangers' octets.

Run `make fuzz`, or `python -m tests.fuzz.run TARGET SECONDS`.
"""
