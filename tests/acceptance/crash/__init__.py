"""Kills of the server and the destination, and the comparison of promises with the disk."""
