"""Users of the portal as rows, and back.

A role or scope that this version does not know grants nothing, and does not refuse the store.
"""

import json

from restante.store.stored_form.row_type import Row
from restante.tenancy.grants import ALL_GRANTS
from restante.tenancy.portal_user import Invitation, PortalPasskey, PortalUser


def portal_user_row(user: PortalUser) -> Row:
    """Spell a user in the order of its columns."""
    invitation = user.invitation
    return (
        user.email,
        user.account,
        json.dumps(sorted(user.grants)),
        user.created_by,
        user.created_at,
        user.revision,
        user.password_hash,
        user.sealed_totp,
        user.totp_step,
        json.dumps([one.hex() for one in user.recovery_hashes]),
        json.dumps(
            [
                [one.credential.hex(), one.name, one.sign_count, one.created_at, one.used_at]
                for one in user.passkeys
            ]
        ),
        user.oidc_issuer,
        user.oidc_subject,
        None if invitation is None else invitation.secret_hash,
        None if invitation is None else invitation.valid_until,
        user.signed_in_at,
    )


def portal_user(row: Row) -> PortalUser:
    """Read a user back."""
    email, account, grants, created_by, created_at, revision, password_hash, *rest = row
    sealed_totp, totp_step, recovery, passkeys, issuer, subject, *rest = rest
    invitation_hash, invitation_until, signed_in_at = rest
    named = set(json.loads(grants))
    return PortalUser(
        email,
        account,
        frozenset(one for one in ALL_GRANTS if one.value in named),
        created_by,
        created_at,
        revision,
        password_hash,
        sealed_totp,
        totp_step,
        tuple(bytes.fromhex(text) for text in json.loads(recovery)),
        tuple(
            PortalPasskey(bytes.fromhex(text), *others) for text, *others in json.loads(passkeys)
        ),
        issuer,
        subject,
        None if invitation_hash is None else Invitation(invitation_hash, invitation_until),
        signed_in_at,
    )
