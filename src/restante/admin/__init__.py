"""The operator's actions as plain functions; the command line and the API both call these."""
