"""The closed lists of events and metrics, and the log, whose lines are counted."""
