"""Where they hand it over to."""
