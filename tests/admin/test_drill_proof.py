"""The proof of a drill is genuine under its key, and only unchanged."""

from dataclasses import replace

from restante.admin.auditing import moment
from restante.admin.drill_proof import DrillProof, DrillStepView, DrillView, signed, verify_proof
from restante.readiness.drill_word import DrillAsk, DrillStep
from restante.readiness.readiness_row import ReadinessVerdict
from restante.tenancy.sealed_secrets import Vault
from tests.admin.admin_world import NOW, AdminWorld

DRILL = DrillView(
    domain="alpha.example",
    server="mx2.example.net",
    at=moment(NOW),
    is_passed=True,
    ask=DrillAsk.OPERATOR,
    recipient="postmaster@alpha.example",
    message="12",
    message_id="<drill.1@mx2.example.net>",
    destination="192.0.2.1:25",
    check=ReadinessVerdict.PASS,
    tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
    certificate="00",
    asked_by="operator, control socket",
    reply="250 2.0.0 Ok: queued as 4711",
    seconds=1.9,
    failed_step=None,
    failure="",
    remedy="",
    steps=(DrillStepView(step=DrillStep.HOLD, seconds=0.1, text="as 12"),),
)


def test_a_proof_is_genuine_after_a_way_through_a_file() -> None:
    admin = AdminWorld()
    proof = signed(admin.context.vault, DRILL)
    again = DrillProof.model_validate_json(proof.model_dump_json(indent=2))
    verdict = verify_proof(admin.context, again)
    assert (verdict.is_genuine, verdict.is_former_key) == (True, False)


def test_a_proof_stays_genuine_after_rotations_and_tells_that_its_key_is_a_former_one() -> None:
    context = AdminWorld().context
    first, second, third = (bytes([one]) * 32 for one in (1, 2, 3))
    proofs = [signed(Vault(keys), DRILL) for keys in (first, second + first)]
    rotated = replace(context, vault=Vault(third + second + first))
    for proof in proofs:
        verdict = verify_proof(rotated, proof)
        assert (verdict.is_genuine, verdict.is_former_key) == (True, True)
    assert not verify_proof(rotated, signed(rotated.vault, DRILL)).is_former_key
    # The former key alone cannot make a proof of the present one.
    forged = signed(Vault(first), DRILL).model_copy(
        update={"key": signed(rotated.vault, DRILL).key}
    )
    assert "changed" in verify_proof(rotated, forged).reason
    only_present = replace(context, vault=Vault(third))
    assert "another key" in verify_proof(only_present, proofs[1]).reason


def test_a_changed_proof_and_one_of_another_key_are_not() -> None:
    admin = AdminWorld()
    proof = signed(admin.context.vault, DRILL)
    changed = proof.model_copy(update={"drill": DRILL.model_copy(update={"seconds": 1.8})})
    assert "changed" in verify_proof(admin.context, changed).reason
    other = signed(Vault(bytes([1] * 32)), DRILL)
    assert "key" in verify_proof(admin.context, other).reason
    odd = proof.model_copy(
        update={"signature": "\ud800", "drill": DRILL.model_copy(update={"reply": "\ud800"})}
    )
    assert not verify_proof(admin.context, odd).is_genuine
