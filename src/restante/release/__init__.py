"""Asking for held mail: who may have what released, and the one door through which it is."""
