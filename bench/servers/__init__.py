"""The servers that are measured, behind one interface."""
