"""Restante beside stock mail servers: the same work for each, in turn, on one machine.

README.md says how to read the results.
"""
