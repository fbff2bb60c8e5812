"""The rows: a file for each kind of work that is measured."""
