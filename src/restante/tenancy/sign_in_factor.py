"""The proofs by which somebody signs in. Pure."""

from collections.abc import Iterable

from restante.stable_word import StableWord


class SignInFactor(StableWord):
    """The kinds of proofs. A link of another site proves nothing by itself."""

    PASSWORD = "password"  # noqa: S105  the name of a factor
    ONE_TIME_CODE = "one-time-code", "one-time code"
    RECOVERY_CODE = "recovery-code"
    PASSKEY = "passkey"
    PROVIDER = "provider", "identity provider"
    LINK = "link", "link of another site"


Factors = tuple[SignInFactor, ...]


def known_factors(words: Iterable[str]) -> Factors:
    """Return the factors of these words. Words of a newer server are left out."""
    known = {one.value: one for one in SignInFactor}
    return tuple(known[word] for word in words if word in known)


def factors_text(factors: Factors) -> str:
    """Return factors as people read them, such as `password and one-time code`."""
    return " and ".join(one.text for one in factors)
