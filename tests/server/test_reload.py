"""Reloads of a whole server in this process: the result is that of a fresh start."""

import asyncio
import contextlib
import shutil
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.admin.server_status import show_status
from restante.config.key_file import read_key
from restante.config.load import load
from restante.config.reload_rules import APPLIED_BY_RELOAD, NEED_RESTART
from restante.config.schema import Config
from restante.config.server_certificates import read_identity
from restante.network.late_module import ProgramReplaced
from restante.network.tls_context import oldest_version
from restante.notices.notice_inbox import NoticeInbox
from restante.reception import listeners as listeners_module
from restante.reception.listener import bind
from restante.server import reload as reload_module
from restante.server.built_parts import DeliveryParts, ReceptionParts
from restante.server.program_files import ProgramFiles
from restante.server.server_life import Application
from restante.server.server_setup import EventSubscribers, RunningSettings, ServerSetup
from restante.server.upkeep_parts import UpkeepParts
from restante.telemetry.event_counts import Counts
from restante.telemetry.events import ServerReady
from restante.tenancy.principal import CONTROL_SOCKET, Principal, Role
from restante.tenancy.sealed_secrets import Vault
from tests.acceptance.peers.ports import free_port
from tests.actors import actor_named
from tests.admin.admin_world import NOW, Lines
from tests.config.files import installed
from tests.log_lines import bus_with

PORTS = 4


@dataclass(frozen=True)
class ServerParts:
    """The parts of a running server that a reload concerns."""

    settings: RunningSettings
    own_addresses: list[tuple[str, int]]
    reception: ReceptionParts
    delivery: DeliveryParts
    upkeep: UpkeepParts


@dataclass(frozen=True)
class Block:
    """One `[[listen]]`."""

    service: str
    port: int  # index of one of the world's ports
    tls_minimum: str = ""
    host: str = "127.0.0.1"


@dataclass(frozen=True)
class File:
    """A configuration file, as a test edits it."""

    blocks: tuple[Block, ...] = (Block("mx", 0), Block("smtps", 1))
    certificate: int = 0
    minimum: str = "1.2"
    size: int = 1_000_000
    failures: int = 10
    releases: int = 60
    hostname: str = "mx2.example.net"
    is_broken: bool = False


class World:
    """An installation on free ports, and at most one server of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = installed(directory)
        self.ports = [free_port() for _ in range(PORTS)]
        self.log = Lines()
        for number in range(2):
            issued = trustme.CA().issue_cert("localhost")
            issued.cert_chain_pems[0].write_to_path(str(directory / f"cert-{number}.pem"))
            issued.private_key_pem.write_to_path(str(directory / f"key-{number}.pem"))

    def write(self, file: File) -> None:
        """Write the configuration; the certificate is renewed in place, as by an ACME client."""
        for name in ("cert", "key"):
            shutil.copyfile(
                self.directory / f"{name}-{file.certificate}.pem",
                self.directory / "tls" / f"{name}.pem",
            )
        self.path.write_text("nonsense = [" if file.is_broken else self._text(file))

    def _text(self, file: File) -> str:
        listen = "".join(
            f'[[listen]]\nservice = "{block.service}"\naddress ='
            f' "{block.host}:{self.ports[block.port]}"\n'
            + (f'tls_minimum = "{block.tls_minimum}"\n' if block.tls_minimum else "")
            for block in file.blocks
        )
        return (
            f'hostname = "{file.hostname}"\nstore = "sqlite:data"\n{listen}'
            f'[tls]\ncertificate = "tls/cert.pem"\nkey = "tls/key.pem"\n'
            f'minimum = "{file.minimum}"\n'
            f"[reception]\nmessage_size_limit = {file.size}\n"
            f"failures_until_refusal = {file.failures}\n"
            f"releases_per_minute = {file.releases}\n"
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ServerParts]:
        """Run a server of the file as it is."""
        config = load(self.path, {})
        sockets = [bind(listen.address) for listen in config.listen]
        vault = Vault(read_key(config.key_file))
        setup = ServerSetup(
            config=config,
            identity=read_identity(config),
            vault=vault,
            sockets=sockets,
            log=bus_with(self.log),
            heard=EventSubscribers(Counts(), NoticeInbox(lambda: NOW)),
            started_at=NOW,
        )
        app = Application(setup)
        running = asyncio.create_task(app.run())
        try:
            while not any(event is ServerReady for event, _ in self.log.lines):
                await asyncio.sleep(0)
                assert not running.done(), running.result()
            assert app.parts is not None
            assert app.upkeep is not None
            yield ServerParts(
                app.parts.ground.settings,
                app.parts.ground.own_addresses,
                app.parts.reception,
                app.parts.delivery,
                app.upkeep,
            )
        finally:
            app._stop.set()
            await running
            self.log.lines.clear()
            for each in sockets:
                each.close()


async def greeting(port: int, *, is_implicit: bool) -> tuple[bytes, bytes]:
    """Connect, and return the greeting and the certificate that is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context if is_implicit else None
    )
    try:
        line = await reader.readline()
        if not is_implicit:
            writer.write(b"EHLO x.example\r\n")
            while (await reader.readline())[3:4] == b"-":
                pass
            writer.write(b"STARTTLS\r\n")
            assert (await reader.readline()).startswith(b"220")
            await writer.start_tls(context)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert shown
        writer.write(b"QUIT\r\n")
        return line.split()[1], shown
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def observed(app: ServerParts, world: World) -> dict[str, Any]:
    """Return the running state: listeners as clients see them, and the settings of the parts."""
    found: dict[str, Any] = {}
    for listener in app.reception.listeners:
        name, shown = await greeting(listener.address[1], is_implicit=listener.service == "smtps")
        key = f"{listener.service} {listener.address_text}"
        assert key not in found
        found[key] = (
            name,
            shown,
            oldest_version(listener.settings.tls),
            listener.settings.services.settings,
        )
        assert listener.settings.options.can_start_tls == (listener.service == "mx")
    for port in world.ports:
        if not any(str(port) in key for key in found):
            with pytest.raises(OSError, match=r"refused|Connect call failed"):
                await asyncio.open_connection("127.0.0.1", port)
    administration = await app.upkeep.admin.parts()
    return found | {
        "limits": app.reception.door.limits,
        "octets": app.reception.memory_budget.limit,
        "reserve": app.reception.disk_space.reserve,
        "served": administration.instruments.process.certificates(),
        "delivery": app.delivery.dispatcher._context.settings,
        "reports": app.delivery.reports._settings(),
        "notices": app.delivery.notices._sender._settings(),
        "failures": (
            app.reception.auth_gate._failures.until_refusal,
            app.reception.auth_gate._failures.memory,
        ),
        "attempts": (
            app.reception.auth_gate._rate.per_minute,
            app.reception.auth_gate._authenticator._passwords._strangers.limit,
        ),
        "size": administration.context.settings.message_size_limit(),
        "releases": app.delivery.releaser._allowance._right.per_minute,
        "own": sorted(app.own_addresses),
        "running": app.settings.config.model_dump(exclude={"listen"}),
        "listen": sorted(repr(listen) for listen in app.settings.config.listen),
    }


BLOCKS = st.lists(
    st.builds(
        Block,
        st.sampled_from(["mx", "smtps"]),
        st.integers(0, PORTS - 1),
        st.sampled_from(["", "1.2", "1.3"]),
        st.sampled_from(["127.0.0.1", "0.0.0.0"]),
    ),
    min_size=1,
    max_size=PORTS,
    unique_by=lambda block: block.port,
).map(tuple)
EDITS = st.one_of(
    BLOCKS.map(lambda blocks: {"blocks": blocks}),
    st.integers(0, 1).map(lambda certificate: {"certificate": certificate}),
    st.sampled_from(["1.2", "1.3"]).map(lambda minimum: {"minimum": minimum}),
    st.sampled_from([1_000_000, 2_000_000]).map(lambda size: {"size": size}),
    st.sampled_from([5, 10]).map(lambda failures: {"failures": failures}),
    st.sampled_from([7, 60]).map(lambda releases: {"releases": releases}),
    st.sampled_from(["mx2.example.net", "mx3.example.net"]).map(
        lambda hostname: {"hostname": hostname}
    ),
    st.booleans().map(lambda is_broken: {"is_broken": is_broken}),
)
STEPS = st.lists(
    st.tuples(EDITS, st.integers(0, 2)), min_size=1, max_size=6
)  # an edit, and reloads after it


@given(steps=STEPS)
@settings(max_examples=25)
def test_edits_and_reloads_end_as_a_fresh_start_would(
    steps: Sequence[tuple[dict[str, Any], int]],
) -> None:
    """Any sequence ends like a start with the last valid file, except for pending restarts."""
    with TemporaryDirectory() as directory:
        asyncio.run(_compare(World(Path(directory)), steps))


async def _compare(world: World, steps: Sequence[tuple[dict[str, Any], int]]) -> None:
    file = last = File()
    world.write(file)
    async with world.running() as app:
        for edit, reloads in steps:
            file = replace(file, **edit)
            world.write(file)
            for _ in range(reloads):
                await app.upkeep.reloader.reload()
                assert (app.settings.state.reload_failed_at is not None) == file.is_broken
            if reloads and not file.is_broken:
                last = file
        reloaded, state = await observed(app, world), app.settings.state
    world.write(last)
    assert set(state.restart_for) == ({"hostname"} if last.hostname != File.hostname else set())
    world.write(replace(last, hostname=File.hostname))
    async with world.running() as app:
        assert reloaded == await observed(app, world)


def test_every_setting_is_applied_by_a_reload_or_waits_for_a_restart() -> None:
    assert sorted((*APPLIED_BY_RELOAD, *NEED_RESTART)) == sorted(Config.model_fields)


@dataclass
class Story:
    """Edits of a running server, in words."""

    world: World
    app: ServerParts
    file: File

    async def reload(self, **edit: Any) -> tuple[str, ...]:
        """Edit and reload; return what waits for a restart."""
        self.file = replace(self.file, **edit)
        self.world.write(self.file)
        await self.app.upkeep.reloader.reload()
        return self.app.settings.state.restart_for

    def open(self) -> list[str]:
        """Return where the listeners are, by service and the index of the port."""
        return [
            f"{each.service} {self.world.ports.index(each.address[1])}"
            for each in self.app.reception.listeners
        ]


@asynccontextmanager
async def story(directory: Path, first: File = File()) -> AsyncIterator[Story]:
    world = World(directory)
    world.write(first)
    async with world.running() as app:
        yield Story(world, app, first)


MX, SMTPS = Block("mx", 0), Block("smtps", 1)


def test_a_block_added_above_the_others_opens_and_the_others_stay_what_they_are(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            for _ in range(2):
                assert await told.reload(blocks=(Block("smtps", 2), MX, SMTPS)) == ()
            assert told.open() == ["smtps 2", "mx 0", "smtps 1"]
            await observed(told.app, told.world)

    asyncio.run(tell())


def test_an_edit_shows_in_the_health_without_a_reload_and_a_reload_ends_that(
    tmp_path: Path,
) -> None:
    async def problems(told: Story) -> list[str]:
        operator = Principal(Role.OPERATOR, actor_named("operator root"), CONTROL_SOCKET)
        administration = await told.app.upkeep.admin.parts()
        status = await show_status(administration.context.acting(operator))
        return [problem.text for problem in status.view.health.problems]

    async def tell() -> None:
        async with story(tmp_path) as told:
            before = await problems(told)
            told.file = replace(told.file, hostname="mx3.example.net", size=2_000_000)
            told.world.write(told.file)
            restart = "a restart is needed for hostname"
            unread = (
                "the configuration file was changed and not read again: reception; reload the"
                " server"
            )
            assert set(await problems(told)) - set(before) == {restart, unread}
            assert await told.reload() == ("hostname",)
            after = await problems(told)
            assert (restart in after, unread in after) == (True, False)

    asyncio.run(tell())


def test_files_are_read_where_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an RSA key that took a quarter of a second."""
    readers = []
    for name in ("load", "check_config", "read_identity"):
        real = getattr(reload_module, name)

        def noting(*words: Any, _real: Any = real) -> Any:
            readers.append(threading.current_thread())
            return _real(*words)

        monkeypatch.setattr(reload_module, name, noting)

    async def tell() -> None:
        async with story(tmp_path) as told:
            await told.reload(blocks=(SMTPS, MX))

    asyncio.run(tell())
    assert len(readers) == 3
    assert threading.main_thread() not in readers


def test_swapped_blocks_keep_their_own_tls_minimum(tmp_path: Path) -> None:
    async def tell() -> None:
        old, new = Block("mx", 0, "1.2"), Block("mx", 1, "1.3")
        async with story(tmp_path, File((old, new))) as told:
            await told.reload(blocks=(new, old))
            await told.reload(blocks=(new, old))
            minimums = {
                each.address[1]: oldest_version(each.settings.tls)
                for each in told.app.reception.listeners
            }
            assert minimums == {told.world.ports[0]: "1.2", told.world.ports[1]: "1.3"}

    asyncio.run(tell())


def deny(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Have the system refuse one port, as one below 1024 is to a plain user."""

    def bind_or_deny(address: str, *, is_shared: bool) -> socket.socket:
        if address.endswith(f":{port}"):
            raise PermissionError(13, "Permission denied")
        return bind(address, is_shared=is_shared)

    monkeypatch.setattr(listeners_module, "bind", bind_or_deny)


def test_a_listener_that_may_not_be_bound_waits_for_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was moved there stays where it was, with the new certificate, until then."""

    async def tell() -> None:
        async with story(tmp_path) as told:
            ports = told.world.ports
            deny(monkeypatch, ports[2])
            waiting = await told.reload(blocks=(Block("mx", 2), SMTPS), certificate=1)
            assert waiting == (f"listen mx 127.0.0.1:{ports[2]}", f"listen mx 127.0.0.1:{ports[0]}")
            assert told.open() == ["smtps 1", "mx 0"]
            shown = {(await greeting(ports[n], is_implicit=n == 1))[1] for n in (0, 1)}
            assert len(shown) == 1
            assert await told.reload(blocks=(MX, SMTPS)) == ()
            assert told.open() == ["mx 0", "smtps 1"]

    asyncio.run(tell())


def test_a_service_that_changes_needs_no_new_bind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            for port in told.world.ports:
                deny(monkeypatch, port)
            assert await told.reload(blocks=(Block("smtps", 0), Block("mx", 1))) == ()
            await observed(told.app, told.world)
            assert told.open() == ["smtps 0", "mx 1"]

    asyncio.run(tell())


def test_an_address_that_another_program_uses_fails_the_reload_and_changes_nothing(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            ports = told.world.ports
            with bind(f"127.0.0.1:{ports[3]}") as other:
                other.listen()
                wider = Block("mx", 0, host="0.0.0.0")  # closes and must get back 127.0.0.1
                await told.reload(
                    blocks=(wider, Block("smtps", 2), Block("smtps", 3)), size=2_000_000
                )
                state = told.app.settings.state
                assert f"127.0.0.1:{ports[3]}: Address already in use" in state.reload_failure
                assert told.open() == ["mx 0", "smtps 1"]
            before = await observed(told.app, told.world)
            assert before["running"]["reception"]["message_size_limit"] == File.size
            assert await told.reload() == ()
            assert told.app.settings.state.reload_failed_at is None
            assert told.open() == ["mx 0", "smtps 2", "smtps 3"]

    asyncio.run(tell())


def test_an_overlapping_address_that_is_in_use_gives_the_old_one_back(tmp_path: Path) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            port = told.world.ports[0]
            with bind(f"127.0.0.2:{port}") as other:
                other.listen()
                await told.reload(blocks=(Block("mx", 0, host="0.0.0.0"), SMTPS))
                assert "Address already in use" in told.app.settings.state.reload_failure
                assert next(each.address for each in told.app.reception.listeners) == (
                    "127.0.0.1",
                    port,
                )
                await observed(told.app, told.world)

    asyncio.run(tell())


def test_a_value_changed_and_changed_back_needs_no_restart(tmp_path: Path) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            assert await told.reload(hostname="mx3.example.net") == ("hostname",)
            name, _ = await greeting(told.world.ports[0], is_implicit=False)
            assert name == b"mx2.example.net"
            assert await told.reload(size=2_000_000) == ("hostname",)
            assert await told.reload(is_broken=True) == ("hostname",)
            assert await told.reload(hostname="mx2.example.net", is_broken=False) == ()
            (tmp_path / "restante.key").write_bytes(bytes(32))
            assert await told.reload() == ("key_file",)

    asyncio.run(tell())


def test_a_session_outlives_its_listener(tmp_path: Path) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            reader, writer = await asyncio.open_connection("127.0.0.1", told.world.ports[0])
            await reader.readline()
            await told.reload(blocks=(SMTPS,))
            assert told.app.reception.listeners.sessions()["mx"] == 1
            writer.write(b"NOOP\r\n")
            assert (await reader.readline()).startswith(b"250")
            writer.write(b"QUIT\r\n")
            await reader.readline()
            writer.close()
            await writer.wait_closed()

    asyncio.run(tell())


def test_reloads_asked_for_during_one_are_one_more(tmp_path: Path) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            for _ in range(5):
                told.app.upkeep.reloader.ask()
            told.world.write(replace(told.file, size=3_000_000))
            while told.app.upkeep.reloader._is_busy:  # noqa: ASYNC110  it has no event for that
                await asyncio.sleep(0)
            assert [event.event for event, _ in told.world.log.lines].count("server-reloaded") == 1
            assert told.app.settings.config.reception.message_size_limit == 3_000_000

    asyncio.run(tell())


WEB_BLOCK = '[[listen]]\nservice = "web"\naddress = "127.0.0.1:{port}"\n{tls}'


async def shown_by_web(port: int) -> bytes:
    """Return the certificate of a `web` listener that answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: r\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return shown


def test_a_web_listener_follows_reloads_as_the_others(tmp_path: Path) -> None:
    world = World(tmp_path)

    def write(file: File, web: str) -> None:
        world.write(file)
        text = world.path.read_text()
        world.path.write_text(text.replace("[tls]", f"{web}\n[tls]", 1))

    async def story() -> None:
        port = world.ports[2]
        secure = WEB_BLOCK.format(port=port, tls="tls = true")
        world.write(File())
        async with world.running() as app:
            write(File(), secure)
            await app.upkeep.reloader.reload()
            assert [each.service for each in app.reception.listeners] == ["mx", "smtps", "web"]
            assert app.settings.state.restart_for == ()
            first = await shown_by_web(port)
            write(File(certificate=1), secure)
            await app.upkeep.reloader.reload()
            assert await shown_by_web(port) != first
            assert ("127.0.0.1", port) in app.own_addresses
            write(File(), WEB_BLOCK.format(port=port, tls=""))
            await app.upkeep.reloader.reload()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: r\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 ")
            writer.close()
            write(File(), WEB_BLOCK.format(port=port, tls="").replace("127.0.0.1", "0.0.0.0"))
            await app.upkeep.reloader.reload()
            assert "without TLS must be on loopback" in app.settings.state.reload_failure
            world.write(File())
            await app.upkeep.reloader.reload()
            with pytest.raises(OSError, match=r"refused|Connect call failed"):
                await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(story())


def test_new_certificates_are_shown_without_the_edits_of_the_file(tmp_path: Path) -> None:
    """A renewal at night applies nothing that the operator has begun to change."""
    world = World(tmp_path)

    async def story() -> None:
        world.write(File())
        async with world.running() as app:
            port = world.ports[0]
            _, first = await greeting(port, is_implicit=False)
            world.write(File(certificate=1, hostname="mx3.example.net", size=2_000_000))
            before, served = app.settings.config, app.settings.identity.served
            await app.upkeep.reloader.show_certificates()
            assert app.settings.identity.served != served
            _, second = await greeting(port, is_implicit=False)
            assert second != first
            assert app.settings.config is before
            (tmp_path / "tls/key.pem").write_bytes(b"")
            await app.upkeep.reloader.show_certificates()
            assert (await greeting(port, is_implicit=False))[1] == second
            assert "cannot be used" in app.settings.state.reload_failure

    asyncio.run(story())


WEB = Block("web", 2)


def test_a_web_listener_that_is_added_loads_the_portal_and_answers(tmp_path: Path) -> None:
    async def tell() -> None:
        async with story(tmp_path, File((MX,))) as told:
            assert await told.reload(blocks=(MX, WEB)) == ()
            assert told.open() == ["mx 0", "web 2"]
            port = told.world.ports[2]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /portal/sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
            writer.close()

    asyncio.run(tell())


def test_a_program_that_was_upgraded_adds_no_web_listener_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_program: ProgramFiles, _module: str) -> None:
        raise ProgramReplaced

    monkeypatch.setattr(ProgramFiles, "load", load)

    async def tell() -> None:
        async with story(tmp_path, File((MX,))) as told:
            await told.reload(blocks=(MX, WEB), size=2_000_000)
            state = told.app.settings.state
            assert state.reload_failure == str(ProgramReplaced())
            assert told.open() == ["mx 0"]
            assert told.app.settings.config.reception.message_size_limit == 1_000_000
            assert await told.reload(blocks=(MX, SMTPS)) == ()
            assert told.open() == ["mx 0", "smtps 1"]

    asyncio.run(tell())
