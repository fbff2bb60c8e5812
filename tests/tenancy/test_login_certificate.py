"""A registered certificate: good until it expires, and stored as it was given."""

from restante.tenancy.login_certificate import LoginCertificate, certificates_text


def test_it_is_good_until_it_expires() -> None:
    certificate = LoginCertificate("PEM", "ab" * 32, "CN=primary", expires_at=9.0)
    assert certificate.is_good(8.9)
    assert not certificate.is_good(9.0)


def test_the_texts_stand_behind_each_other() -> None:
    both = [LoginCertificate(f"{name}\n", "ab" * 32, "CN=primary", 9.0) for name in ("a", "b")]
    assert certificates_text(both) == "a\nb\n"
    assert certificates_text([]) == ""
