"""Killing the server, and the destination, and comparing what was promised with what is there."""
