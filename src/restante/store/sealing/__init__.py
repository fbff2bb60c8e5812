"""Held content, sealed between intake and any store, and opened on its way out."""
