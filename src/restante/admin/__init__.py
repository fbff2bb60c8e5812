"""What an operator may do, as plain functions: the command line and the API both call these."""
