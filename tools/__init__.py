"""Programs for people who work on Restante."""
