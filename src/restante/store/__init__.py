"""Where held mail and the operator's records are kept."""
