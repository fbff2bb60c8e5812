"""The configuration: what may be set, where it is found, and whether what it names is in order."""
