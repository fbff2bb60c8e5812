"""Policies and quotas as the JSON text that stands in one column.

Every field is written, so that a default which changes in a later version changes no existing
domain. A field that is missing, because an earlier version wrote the column, is read as its
default. A field that only a later version knows is ignored.

Domains with one text have one policy. Most have the same, and one for each of many domains would
cost memory and the time to read it.
"""

from functools import lru_cache
from typing import Final

from pydantic import TypeAdapter

from restante.tenancy.policy import DEFAULT_POLICY, Policy
from restante.tenancy.quota import NO_QUOTA, Quota

_POLICY = TypeAdapter(Policy)
_QUOTA = TypeAdapter(Quota)
SHARED_TEXTS: Final = 1024
"""Texts of a column whose values are kept for the next row that has the same."""


def policy_text(policy: Policy) -> str:
    """Spell a policy."""
    return _POLICY.dump_json(policy).decode()


@lru_cache(SHARED_TEXTS)
def read_policy(text: str) -> Policy:
    """Read a policy back; "" is the default."""
    return _POLICY.validate_json(text) if text else DEFAULT_POLICY


def quota_text(quota: Quota) -> str:
    """Spell a quota."""
    return _QUOTA.dump_json(quota).decode()


def read_quota(text: str) -> Quota:
    """Read a quota back; "" is none."""
    return _QUOTA.validate_json(text) if text else NO_QUOTA
