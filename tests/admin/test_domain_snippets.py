"""Lines for a domain's primary have the addresses from which we connect to it."""

from restante.admin.domain_snippets import list_snippets, outgoing_addresses
from restante.readiness.primary_snippets import PrimaryProgram
from tests.admin.admin_world import AdminWorld, run


def hosting(destination: str) -> AdminWorld:
    admin = AdminWorld()
    admin.resolver.known["mx2.example.net"] = ["203.0.113.2"]
    run(admin.host("alpha.example", "alpha", destination=destination))
    return admin


def addresses(admin: AdminWorld) -> tuple[str, ...]:
    domain = admin.context.directory.now.domains["alpha.example"]
    return run(outgoing_addresses(admin.context.network, domain.destination))


def test_the_address_is_that_of_the_way_to_the_destination() -> None:
    assert addresses(hosting("127.0.0.9:2525")) == ("127.0.0.1",)


def test_without_a_way_it_is_the_published_one() -> None:
    assert addresses(hosting("gone.example")) == ("203.0.113.2",)
    assert addresses(hosting("none")) == ("203.0.113.2",)


def test_where_nobody_knows_it_there_is_none() -> None:
    admin = hosting("none")
    admin.resolver.known.clear()
    assert addresses(admin) == ()
    [snippet] = run(list_snippets(admin.context, "alpha.example", PrimaryProgram.RSPAMD))
    assert "ADDRESS" in snippet.parts[1].text


def test_all_programs_have_lines() -> None:
    found = run(list_snippets(hosting("none").context, "alpha.example"))
    assert [one.program for one in found] == list(PrimaryProgram)
