"""The proof of a drill: its steps and their results, signed with the key of the key file.

The signature is HMAC-SHA256 over the JSON text of the drill, under a key that is derived from the
key file. Only a server with that file can make a proof, and it alone can tell a genuine one.

A proof is signed with the present key. The key file keeps the former ones after a rotation, so
older proofs can still be verified. A key is often rotated because somebody else may have it. So the
verdict tells that a proof has a former key: then it proves only that its maker had that key.
"""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.permissions import AdminAction, permit
from restante.readiness.drill_word import DrillAsk, DrillStep
from restante.readiness.readiness_row import ReadinessVerdict
from restante.tenancy.sealed_secrets import Vault

_SIGNING: Final = "signature of drills"
_NAMING: Final = "name of the key"
_KEY_DIGITS: Final = 16

# A proof comes back to be verified. These are far above any drill, whose own form they are too.
_ProofText = Annotated[str, Field(max_length=65_536)]
_ProofSeconds = Annotated[float, Field(le=1e9)]
_MOST_STEPS: Final = 100


class DrillStepView(BaseModel):
    """One step of a drill."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: DrillStep
    seconds: _ProofSeconds
    text: _ProofText  # the result


class DrillView(BaseModel):
    """One drill: the steps up to the end, or up to the one that failed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: _ProofText
    server: _ProofText  # the name of this server
    at: datetime
    is_passed: bool
    ask: DrillAsk
    recipient: _ProofText
    message: _ProofText  # its name here; "" if it was not taken
    message_id: _ProofText
    destination: _ProofText
    check: ReadinessVerdict  # of the domain, before
    tls: _ProofText  # with which the message came in
    certificate: _ProofText  # SHA-256 of the one that was shown, in hex
    asked_by: _ProofText  # "login alice, 192.0.2.25"
    reply: _ProofText  # the destination's, to the message
    seconds: _ProofSeconds  # of the hand-over: from the request to the reply, if it passed
    failed_step: DrillStep | None
    failure: _ProofText
    remedy: _ProofText
    steps: Annotated[tuple[DrillStepView, ...], Field(max_length=_MOST_STEPS)]


class DrillProof(BaseModel):
    """A drill with its signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drill: DrillView
    key: _ProofText  # names the key, and tells nothing about it
    signature: _ProofText  # HMAC-SHA256 in hex


class DrillVerdict(BaseModel):
    """Whether a proof is genuine."""

    is_genuine: bool
    reason: str  # why it is not; "" if it is
    is_former_key: bool = False  # genuine, but its key is a former one: a thief of it can sign too


def signed(vault: Vault, drill: DrillView) -> DrillProof:
    """Return a drill with its signature under the present key."""
    key = vault.constants(_SIGNING)[0]
    return DrillProof(drill=drill, key=_key_names(vault)[0], signature=_signature(key, drill))


def verify_proof(context: AdminContext, proof: DrillProof) -> DrillVerdict:
    """Tell whether a proof was made with this key or a former one. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_DRILL)
    names = _key_names(context.vault)
    if proof.key not in names:
        reason = f"it was signed with another key; this server has {', '.join(names)}"
        return DrillVerdict(is_genuine=False, reason=reason)
    place = names.index(proof.key)
    expected = _signature(context.vault.constants(_SIGNING)[place], proof.drill)
    if not hmac.compare_digest(expected.encode(), proof.signature.encode("utf-8", "surrogatepass")):
        return DrillVerdict(is_genuine=False, reason="it was changed since it was signed")
    return DrillVerdict(is_genuine=True, reason="", is_former_key=place > 0)


def _signature(key: bytes, drill: DrillView) -> str:
    text = json.dumps(drill.model_dump(mode="json"), sort_keys=True)  # in ASCII, whatever was given
    return hmac.digest(key, text.encode(), "sha256").hex()


def _key_names(vault: Vault) -> list[str]:
    """Return the names of the keys, the present one first."""
    keys = vault.constants(_NAMING)
    return [hashlib.sha256(one).hexdigest()[:_KEY_DIGITS] for one in keys]
