"""A running server is found by its socket, even with a mistake in the configuration file."""

import asyncio
from pathlib import Path

import httpx
import pytest

from restante.admin.accounts import NewAccount, add_account
from restante.cli import api_client
from restante.config.server_record import recorded
from restante.web.api.api_application import build_api
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

MISTAKES = {
    "an unknown setting": "color = 1\n{text}",
    "a wrong value": "{text}\n[reception]\nsessions_limit = 'many'\n",
    "not TOML": "{text}\n[reception\n",
    "a missing setting": 'store = "sqlite:data"\n',
    "not UTF-8": "{text}\n# \udcff\n",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_file_hides_no_server(
    admin: AdminWorld, command: Command, installation: Path, mistake: str
) -> None:
    file = installation / "restante.toml"
    text = MISTAKES[mistake].replace("{text}", file.read_text())
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    assert command("config", "check").code == 78
    shown = command("status")
    assert (shown.code, "1 message held" in shown.out) == (0, True), shown.err
    assert command("release", "alpha.example").code == 0
    assert command("domain", "set", "alpha.example", "--connections", "2").code == 0


def test_without_a_server_the_mistake_is_named(command: Command, installation: Path) -> None:
    file = installation / "restante.toml"
    file.write_text(f"color = 1\n{file.read_text()}")
    ended = command("status")
    assert (ended.code, "color" in ended.err) == (78, True)


EDITS = {
    "the socket": 'control_socket = "other.sock"\n{text}',
    "the store": "{text}",
    "the file is not TOML": "[\ncontrol_socket = 'other.sock'\n",
    "nothing is named": "",
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_running_server_is_found_after_the_file_names_another_place(
    admin: AdminWorld, command: Command, installation: Path, edit: str
) -> None:
    file = installation / "restante.toml"
    socket = installation / "data/control.sock"
    text = file.read_text().replace("sqlite:data", "sqlite:other")
    with recorded(file, socket):
        file.write_text(EDITS[edit].replace("{text}", text))
        shown = command("status")
        assert (shown.code, "1 message held" in shown.out) == (0, True), shown.err
        assert f"still answers on {socket}; restart the server" in shown.err
    assert command("status", "--check").code != 0, "its record is gone with it"


@pytest.mark.parametrize("words", [("status",), ("queue", "list"), ("status", "--check")])
def test_a_running_server_whose_directory_was_renamed_is_not_called_missing(
    command: Command, installation: Path, words: tuple[str, ...]
) -> None:
    data = installation / "data"
    with recorded(installation / "restante.toml", data / "control.sock"):
        data.rename(installation / "renamed")
        ended = command(*words)
    said = ended.out + ended.err
    assert ended.code != 0
    assert "a server runs, but its control socket was removed or renamed" in said
    assert "name its new place with --socket" in said
    assert "restante init" not in said


@pytest.mark.parametrize("variable", ["RESTANTE_STORE", "RESTANTE_CONTROL_SOCKET"])
def test_a_place_named_by_the_environment_is_meant(
    admin: AdminWorld,
    command: Command,
    installation: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, "sqlite:other")
    with recorded(installation / "restante.toml", installation / "data/control.sock"):
        checked = command("status", "--check")
    assert (checked.code, "no server is running" in checked.out) == (2, True)


@pytest.mark.parametrize("place", ["before", "after", "environment"])
def test_the_socket_alone_is_enough(
    admin: AdminWorld,
    command: Command,
    installation: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    socket = str(installation / "data/control.sock")
    (installation / "restante.toml").unlink()
    if place == "environment":
        (installation / "restante.toml").write_text("")
        monkeypatch.setenv("RESTANTE_CONTROL_SOCKET", socket)
    words = {"before": ("--socket", socket, "status"), "after": ("status", "--socket", socket)}
    ended = command(*words.get(place, ("status",)))
    assert (ended.code, "1 message held" in ended.out) == (0, True), ended.err


def test_a_socket_where_no_server_answers_is_an_error(command: Command, installation: Path) -> None:
    """The store is not opened then: a named socket means a running server."""
    ended = command("status", "--socket", installation / "data/other.sock")
    assert (ended.code, "other.sock: no server is running there" in ended.err) == (69, True)


def test_a_check_without_a_server_is_critical_and_opens_no_store(
    command: Command, installation: Path
) -> None:
    checked = command("status", "--check")
    assert (
        checked.code,
        checked.out.startswith("RESTANTE CRITICAL - status --check: no server is running"),
    ) == (
        2,
        True,
    )
    (installation / "restante.toml").write_text("color = 1")
    checked = command("status", "--check")
    assert (checked.code, checked.out.startswith("RESTANTE UNKNOWN - ")) == (3, True)


def test_a_socket_we_may_not_open_means_not_allowed(
    installation: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr("restante.web.control_socket.answers", refuse)
    outcome = command("account", "list")
    assert outcome.code == 77
    assert "run as root" in outcome.err
    assert api_client.segment("a b?") == "a%20b%3F"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/"])
def test_a_name_that_a_path_cannot_have_reaches_no_other_record(
    admin: AdminWorld, command: Command, name: str
) -> None:
    assert admin.server
    assert command("account", "add", "empty").code == 0
    for words in (
        ("login", "remove", "empty", name, "--reason", "x"),
        ("account", "show", name),
        ("domain", "show", name),
        ("drain", "stop", name),
        ("recipient", "list", name),
    ):
        refused = command(*words)
        assert (refused.code, refused.out) == (66, "")
        assert refused.err == (
            f"restante: {name!r}: nothing has this name; write it as lists show it\n"
        )
    assert command("account", "show", "empty").code == 0


def test_all_pages_of_a_list_are_returned() -> None:
    admin = AdminWorld()

    async def story() -> list[str]:
        for number in range(5):
            await add_account(admin.context, NewAccount(name=f"a{number}"))
        transport = httpx.ASGITransport(build_api(admin.context, admin.context.principal))
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            api = api_client.ApiClient(client, "here", 1.0)
            listed = await api.ask("GET", "/v1/accounts", params={"limit": 2})
            return [one["name"] for one in listed]

    assert asyncio.run(story()) == ["a0", "a1", "a2", "a3", "a4"]


def test_no_page_beyond_the_wanted_items_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminWorld()
    monkeypatch.setattr(api_client, "PAGE", 2)
    asked: list[str] = []

    async def note(request: httpx.Request) -> None:
        asked.append(request.url.query.decode())

    async def story() -> list[list[str]]:
        for number in range(9):
            await add_account(admin.context, NewAccount(name=f"a{number}"))
        transport = httpx.ASGITransport(build_api(admin.context, admin.context.principal))
        hooks = {"request": [note]}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://restante", event_hooks=hooks
        ) as client:
            api = api_client.ApiClient(client, "here", 1.0)
            return [
                [one["name"] for one in await api.ask("GET", "/v1/accounts", most=most)]
                for most in (1, 3, 4)
            ]

    names = [f"a{number}" for number in range(4)]
    assert asyncio.run(story()) == [names[:1], names[:3], names]
    assert asked == ["limit=1", *["limit=2", "after=a1&limit=2"] * 2]
