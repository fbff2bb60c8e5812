"""HTTP: the API and the socket it is served on. No rules live here."""
