"""When certificates are ordered, and how failures are followed."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from restante.acme import acme_renewal
from restante.acme.acme_client import AcmeClient, AcmeFailed
from restante.acme.acme_renewal import AcmeRenewal, OrderGround, is_due, pause_after
from restante.acme.acme_settings import AcmeSettings
from restante.acme.certificate_files import CertificateFilesOf, CertificateTerm
from restante.acme.challenge_answers import ChallengeAnswers
from restante.background.clocks import Clocks
from restante.telemetry.events import CertificateIssued, CertificateOrderFailed
from tests.acme.test_certificate_files import AUTHORITY, encrypted, issued
from tests.acme.test_certificate_files import NOW as BEGINS
from tests.admin.admin_world import FakeResolver
from tests.log_lines import Lines

DAY = 86400.0
BEGIN = BEGINS.timestamp()
RSA = rsa.generate_private_key(65537, 2048).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
ONE, OTHER = "mx2.example.net", "mx.customer.example"


@pytest.mark.parametrize(
    ("days", "renew_days", "left", "due"),
    [
        (90, 30, 31, False),
        (90, 30, 30, True),
        (90, 60, 31, False),  # a third of its lifetime at most
        (90, 60, 30, True),
        (6, 30, 3, False),
        (6, 30, 2, True),
        (90, 30, -1, True),
    ],
)
def test_a_certificate_is_renewed_before_its_end(
    days: int, renew_days: int, left: float, *, due: bool
) -> None:
    term = CertificateTerm(0.0, days * DAY)
    assert is_due(term, renew_days, (days - left) * DAY) is due


def test_one_that_is_not_there_is_due() -> None:
    assert is_due(None, 30, 0.0)


def test_the_pause_grows_up_to_a_day() -> None:
    hours = [pause_after(failures) / 3600 for failures in range(8)]
    assert hours == [0, 1, 2, 4, 8, 16, 24, 24]
    assert pause_after(10**6) == 24 * 3600


@dataclass
class Story:
    """A renewal with an authority that does as it is told."""

    directory: Path
    now: float = BEGIN + DAY
    reason: str = ""  # why the authority refuses
    asked: list[str] = field(default_factory=list)
    shown: int = 0
    is_upgraded: bool = False  # the files of the program were replaced
    log: Lines = field(default_factory=Lines)
    settings: AcmeSettings = field(
        default_factory=lambda: AcmeSettings(directory="https://ca.example/", names=(ONE, OTHER))
    )

    def __post_init__(self) -> None:
        ground = OrderGround(
            lambda: self.settings,
            self.directory / "acme",
            FakeResolver(),
            ChallengeAnswers(),
            self._load,
        )
        clocks = Clocks(lambda: self.now, lambda: self.now)
        self.renewal = AcmeRenewal(ground, self.log, clocks, self._show)

    async def _load(self, _module: str) -> None:
        if self.is_upgraded:
            raise Exception("restart the server")  # noqa: TRY002

    async def _show(self) -> None:
        self.shown += 1

    async def order(self, _client: AcmeClient, name: str, request: bytes) -> bytes:
        self.asked.append(name)
        if self.reason:
            raise AcmeFailed(self.reason)
        return issued(request, name)

    def look(self) -> float:
        return asyncio.run(self.renewal.look())


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    told = Story(tmp_path)

    async def order(client: AcmeClient, name: str, request: bytes) -> bytes:
        return await told.order(client, name, request)

    monkeypatch.setattr(AcmeClient, "order", order)
    return told


def test_each_name_is_ordered_once_and_shown(story: Story) -> None:
    assert story.look() == acme_renewal.LOOK_SECONDS
    assert story.asked == [ONE, OTHER]
    assert story.shown == 2
    assert [line["hosts"] for line in story.log.of(CertificateIssued)] == [(ONE,), (OTHER,)]
    assert story.log.of(CertificateIssued)[0]["ends"] == "2027-02-28T00:00:00Z"
    story.look()
    assert len(story.asked) == 2
    story.now = BEGIN + 61 * DAY
    story.look()
    assert story.asked == [ONE, OTHER, ONE, OTHER]


def test_a_failure_is_told_and_followed_by_growing_pauses(story: Story) -> None:
    story.settings = AcmeSettings(directory="https://ca.example/", names=(ONE,))
    story.reason = "the order is invalid"
    assert story.look() == 3600.0
    story.now += 3599
    assert story.look() == pytest.approx(1.0)
    assert len(story.asked) == 1
    story.now += 2
    assert story.look() == 3600.0  # the next look; the next try is an hour after it
    assert CertificateFilesOf(story.directory / "acme", ONE).failures() == (2, story.now)
    told = story.log.of(CertificateOrderFailed)
    assert [(line["reason"], line["retry_seconds"]) for line in told] == [
        ("the order is invalid", 3600.0),
        ("the order is invalid", 7200.0),
    ]
    assert story.shown == 0


def test_code_of_another_version_orders_nothing(story: Story) -> None:
    story.is_upgraded = True
    story.look()
    assert story.asked == []
    told = story.log.of(CertificateOrderFailed)
    assert {line["reason"] for line in told} == {"restart the server"}


def test_a_reload_ends_the_pause(story: Story) -> None:
    """The operator has opened port 80, perhaps. A minute must lie between two tries."""
    story.reason = "connection refused"
    story.look()
    story.renewal.settings_changed(story.settings)
    story.look()
    assert len(story.asked) == 2
    story.now += 61
    story.reason = ""
    story.renewal.settings_changed(story.settings)
    story.look()
    assert len(story.asked) == 4
    assert len(story.log.of(CertificateIssued)) == 2


def test_an_answer_that_nobody_expected_is_a_failure_and_other_names_are_ordered(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = story.order

    async def odd(client: AcmeClient, name: str, request: bytes) -> bytes:
        if name == ONE:
            raise x509.DuplicateExtension("twice", x509.ObjectIdentifier("2.5.29.17"))
        return await good(client, name, request)

    monkeypatch.setattr(story, "order", odd)
    story.look()
    assert CertificateFilesOf(story.directory / "acme", ONE).failures() == (1, story.now)
    assert [line["reason"] for line in story.log.of(CertificateOrderFailed)] == ["twice"]
    assert [line["hosts"] for line in story.log.of(CertificateIssued)] == [(OTHER,)]


def test_only_the_beginning_of_a_long_cause_is_told(story: Story) -> None:
    story.reason = "x" * 10_000
    story.look()
    assert {len(line["reason"]) for line in story.log.of(CertificateOrderFailed)} == {500}


def test_a_certificate_whose_key_was_lost_is_ordered_again(story: Story) -> None:
    story.settings = AcmeSettings(directory="https://ca.example/", names=(ONE,))
    story.look()
    CertificateFilesOf(story.directory / "acme", ONE).key.unlink()
    story.reason = "the order is invalid"
    story.look()  # makes a key, and gets no certificate
    story.now += 3601
    story.reason = ""
    story.look()
    assert story.asked == [ONE] * 3
    assert story.shown == 2


def test_without_names_nothing_is_made(story: Story) -> None:
    story.settings = AcmeSettings()
    story.look()
    assert list(story.directory.iterdir()) == []


def test_a_silent_authority_is_given_up(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acme_renewal, "ORDER_SECONDS", 0.01)

    async def silent(*_: object) -> bytes:
        await asyncio.Event().wait()
        return b""

    monkeypatch.setattr(AcmeClient, "order", silent)
    story.look()
    assert story.log.of(CertificateOrderFailed)[0]["reason"] == "the authority took too long"


@pytest.mark.parametrize(
    "content", [b"no key", encrypted(AUTHORITY), RSA], ids=["no key", "passphrase", "RSA"]
)
def test_an_account_key_that_cannot_be_used_is_a_failure(story: Story, content: bytes) -> None:
    (story.directory / "acme").mkdir()
    (story.directory / "acme/account.key.pem").write_bytes(content)
    story.look()
    told = story.log.of(CertificateOrderFailed)
    assert ["account.key.pem: holds no" in line["reason"] for line in told] == [True, True]
    assert story.asked == []
