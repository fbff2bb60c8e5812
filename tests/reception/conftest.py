"""Fixtures for the tests with real listeners."""

from tests.integration.reception import certificates, reception

__all__ = ["certificates", "reception"]
