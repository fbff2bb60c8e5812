"""The configuration: its settings, the search for its file, and the checks of the named files."""
