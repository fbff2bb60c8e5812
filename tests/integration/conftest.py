"""Fixtures of the integration tests."""

from tests.integration.reception import certificates, reception

__all__ = ["certificates", "reception"]
