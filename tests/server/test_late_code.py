import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from restante.network.late_module import ProgramReplaced
from restante.server.garbage_collection import GarbageCollection
from restante.server.late_code import LateCode
from restante.server.program_files import ProgramFiles
from tests.config.files import installed
from tests.server.test_garbage_collection import Recorded

# Libraries and parts that a server without listeners of HTTP needs for no mail.
LATE = (
    "anyio",
    "httpcore",
    "httpx",
    "fastapi",
    "starlette",
    "uvicorn",
    "jinja2",
    "fido2",
    "segno",
    "pyotp",
    "prometheus_client",
    "opentelemetry",
    "asyncpg",
    "apprise",
    "typer",
    "rich",
    "joserfc",
    "difflib",
    "email.policy",
    "restante.acme.acme_client",
    "restante.cli.command_line",
    "restante.server.build_web",
    "restante.web.api",
    "restante.web.portal.portal_application",
    "restante.web.serving",
    "restante.admin.admin_context",
    "restante.admin.change_keeper",
    "restante.admin.drill_keeper",
    "restante.admin.permissions",
    "restante.readiness.dns_verdicts",
    "restante.server.build_admin",
    "restante.telemetry.exposition",
)
LIBRARIES = {
    *("annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"),
    *("argon2", "cryptography", "pyo3_runtime"),
    *("dns", "idna"),
    *("apsw", "cython_runtime", "uvloop", "restante"),
}
MOST_OCTETS = 2_800_000  # of source: with as much, the memory is 79 MB
PROGRAM = (
    "import atexit, sys; before = set(sys.modules); from restante.cli import main;"
    " loaded = lambda: {name for name, module in sys.modules.items() if module} - before;"
    " atexit.register(lambda: print(*loaded())); sys.exit(main(sys.argv[1:]))"
)


class Loads(ProgramFiles):
    """Loads nothing, and notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__([])
        self.modules = list[str]()

    def load(self, module: str) -> None:
        """Note it."""
        self.modules.append(module)
        if module == "replaced":
            raise ProgramReplaced


def loaded(modules: Sequence[str], loads: Loads) -> None:
    async def story() -> None:
        late, before = LateCode(GarbageCollection(Recorded())), [*loads.modules]
        async with asyncio.TaskGroup() as tasks:
            for module in modules:
                tasks.create_task(late.load(module))
            await asyncio.sleep(0)
            assert loads.modules == before, "the files are not known yet"
            late.begin(loads)

    asyncio.run(story())


def test_a_module_is_loaded_once_whoever_asks_meanwhile() -> None:
    loads = Loads()
    loaded(["a", "b", "a", "a"], loads)
    assert loads.modules == ["a", "b"]


def test_a_module_that_cannot_be_loaded_is_tried_again() -> None:
    loads = Loads()
    for _ in range(2):
        with pytest.raises(ExceptionGroup):
            loaded(["replaced"], loads)
    assert loads.modules == ["replaced"] * 2


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The modules of a server with one `mx` listener that is ready: they decide its memory."""
    file = installed(tmp_path_factory.mktemp("server"))
    head, _, rest = file.read_text().partition("[[listen]]")
    tls = f"[tls]{rest.partition('[tls]')[2]}"
    listen = '[[listen]]\nservice = "mx"\naddress = "127.0.0.1:0"\n'
    file.write_text(f"{head}{listen}{tls}")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--config", str(file), "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A variable that names no setting, such as one of the tests, loads code for a remedy.
        env={name: text for name, text in os.environ.items() if not name.startswith("RESTANTE_")},
    ) as server:
        assert server.stderr is not None
        lines = [next(server.stderr)]
        while "server-ready" not in lines[-1]:
            lines.append(next(server.stderr))
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate()
    found = frozenset(output.split())
    assert "restante.reception.intake" in found, lines
    return found


def test_a_server_for_mail_alone_loads_no_code_that_it_does_not_need(
    modules: frozenset[str],
) -> None:
    assert [name for name in LATE if name in modules] == []


def test_it_loads_no_other_library(modules: frozenset[str]) -> None:
    """A library has a megabyte or more. One that all mail needs is added here."""
    tops = {name.partition(".")[0] for name in modules}
    assert {name for name in tops if name[0] != "_"} - sys.stdlib_module_names <= LIBRARIES


def test_it_loads_no_more_code_of_its_own_than_its_memory_allows(modules: frozenset[str]) -> None:
    """1 kB of source needs 8 kB. With more, measure the memory again (docs/how-to/install.md)."""
    own = [name for name in modules if name.partition(".")[0] == "restante"]
    files = [Path(str(spec.origin)) for name in own if (spec := find_spec(name)) is not None]
    octets = sum(file.stat().st_size for file in files)
    assert len(files) == len(own)
    assert octets <= MOST_OCTETS
