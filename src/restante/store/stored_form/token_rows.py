"""Tokens of the API as rows, and back.

A role or scope that this version does not know grants nothing, and does not refuse the store.
"""

import ipaddress
import json

from restante.store.stored_form.row_type import Row
from restante.tenancy.api_token import ApiToken
from restante.tenancy.grants import ALL_GRANTS


def token_row(token: ApiToken) -> Row:
    """Spell a token in the order of its columns."""
    return (
        token.id,
        token.account,
        token.name,
        token.secret_hash,
        json.dumps(sorted(token.grants)),
        token.created_by,
        token.created_at,
        json.dumps(token.domains),
        json.dumps([str(network) for network in token.networks]),
        token.expires_at,
        token.revoked_at,
        token.maker,
    )


def api_token(row: Row) -> ApiToken:
    """Read a token back."""
    token_id, account, name, secret_hash, grants, created_by, created_at, *rest = row
    domains, networks, expires_at, revoked_at, maker = rest
    named = set(json.loads(grants))
    return ApiToken(
        token_id,
        account,
        name,
        secret_hash,
        frozenset(one for one in ALL_GRANTS if one.value in named),
        created_by,
        created_at,
        tuple(json.loads(domains)),
        tuple(ipaddress.ip_network(text) for text in json.loads(networks)),
        expires_at,
        revoked_at,
        maker,
    )
