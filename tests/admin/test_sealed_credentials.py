"""Credentials that were sealed for an export open for their user name and under their key only."""

import json
from base64 import b64encode
from dataclasses import replace

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.sealed_credentials import open_credentials, seal_credentials
from restante.tenancy.model import Login, PriorPassword
from restante.tenancy.sealed_secrets import Vault, credentials_owner, login_owner, verifier_owner

NOW = 1_760_000_000.0
VAULT = Vault(bytes(32))
SECRET = VAULT.seal("correct horse", login_owner("one"))
VERIFIER = VAULT.seal("a verifier", verifier_owner("one"))
LOGIN = Login("one", "a", "hash", SECRET, NOW, VERIFIER)
ROTATING = replace(LOGIN, prior=PriorPassword("old hash", None, VERIFIER, NOW + 60))


@pytest.mark.parametrize(
    "login", [LOGIN, replace(LOGIN, sealed_secret=None, sealed_verifier=None), ROTATING]
)
def test_they_come_back_as_they_were_and_are_sealed_alike(login: Login) -> None:
    text = seal_credentials(VAULT, login, NOW)
    assert seal_credentials(VAULT, login, NOW) == text
    kept = open_credentials(VAULT, "one", text)
    assert (kept.password_hash, kept.sealed_secret, kept.sealed_verifier, kept.prior) == (
        login.password_hash,
        login.sealed_secret,
        login.sealed_verifier,
        login.prior,
    )


def test_an_old_password_whose_time_is_over_is_left_out() -> None:
    text = seal_credentials(VAULT, ROTATING, NOW + 61)
    assert open_credentials(VAULT, "one", text).prior is None


def sealed(**kept: str | None) -> str:
    text = json.dumps(kept)
    return b64encode(VAULT.seal(text, credentials_owner("one"))).decode()


FOREIGN = b64encode(VAULT.seal("x", login_owner("two"))).decode()


@pytest.mark.parametrize(
    ("vault", "user", "text"),
    [
        (VAULT, "two", seal_credentials(VAULT, LOGIN, NOW)),
        (Vault(b"x" * 32), "one", seal_credentials(VAULT, LOGIN, NOW)),
        (VAULT, "one", ""),
        (VAULT, "one", "no base64"),
        (VAULT, "one", sealed()),
        (VAULT, "one", sealed(hash="h", secret=FOREIGN, verifier=None)),
        (VAULT, "one", sealed(hash="h", secret="x", verifier=None)),
    ],
    ids=["another user", "another key", "empty", "no base64", "no fields", "foreign", "no secret"],
)
def test_all_else_is_refused(vault: Vault, user: str, text: str) -> None:
    with pytest.raises(AdminError, match=f"login {user}: sealed cannot be opened"):
        open_credentials(vault, user, text)
