"""Fixtures of the tests of several servers: stores, on a loop of their own."""

from tests.contract.conftest import postgres_template, postgres_url
from tests.contract.running import loop_kind, pytest_pyfunc_call, runner

__all__ = ["loop_kind", "postgres_template", "postgres_url", "pytest_pyfunc_call", "runner"]
