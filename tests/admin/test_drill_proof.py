"""The proof of a drill is genuine under its key, and only unchanged."""

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
    assert verify_proof(admin.context, again).is_genuine


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
