"""The reference has all that the code has: each command, option, setting, event and metric."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from restante.cli.command_line import build_command
from restante.config.schema import Config
from restante.telemetry.domain_metrics import DOMAIN_METRICS
from restante.telemetry.metric_types import MetricKind, Read
from restante.telemetry.metrics import METRICS
from tools import prose

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(generate: ModuleType) -> dict[str, str]:
    return dict(generate.pages())


@pytest.mark.parametrize(
    "name",
    [
        "client.md",
        "commands.md",
        "configuration.md",
        "events.md",
        "metrics.md",
        "records.md",
        "rights.md",
        "openapi.json",
    ],
)
def test_the_reference_is_as_the_code_has_it(pages: dict[str, str], name: str) -> None:
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert written == pages[name], (
        f"run: python docs/generate.py (docs/reference/{name} is behind the code)"
    )


def test_an_option_without_help_stops_the_generator(generate: ModuleType) -> None:
    command: Any = build_command()
    option = next(each for each in command.commands["etrn"].params if each.name == "tls")
    option.help = ""
    with pytest.raises(generate.Undocumented, match="restante etrn --tls"):
        list(generate._command("restante etrn", command.commands["etrn"]))


def test_a_setting_without_description_stops_the_generator(generate: ModuleType) -> None:
    field = Config.model_fields["hostname"]._copy()
    field.description = None
    with pytest.raises(generate.Undocumented, match="setting hostname"):
        generate._setting(("hostname",), field)


def test_a_metric_without_meaning_stops_the_generator(generate: ModuleType) -> None:
    with pytest.raises(generate.Undocumented, match="metric restante_nothing"):
        generate._metric(Read("restante_nothing", MetricKind.GAUGE, "", lambda _: 0))


def test_the_alerts_ask_for_metrics_and_labels_that_there_are(generate: ModuleType) -> None:
    """A rule about a metric of another name would never fire."""
    shown = {
        generate.shown_name(metric): {label.name for label in metric.labels}
        for metric in (*METRICS, *DOMAIN_METRICS)
    }
    shown["up"] = set()  # Prometheus' own
    asked = re.findall(
        r"\b(?:restante|process)_\w+",
        (DOCS / "how-to" / "watch-a-server.md").read_text(encoding="utf-8"),
    )
    assert set(asked) <= set(shown)
    assert len(asked) > 10
    groups = yaml.safe_load(generate.ALERTS.read_text(encoding="utf-8"))["groups"]
    rules = [rule["expr"] for group in groups for rule in group["rules"]]
    assert len(rules) > 3
    for rule in rules:
        queried = re.findall(r"\b((?:restante|process)_\w+|up)\b(\{.*?\})?", rule)
        assert queried
        for name, selectors in queried:
            assert set(re.findall(r"(\w+)!?=", selectors)) - {"job"} <= shown[name], rule


def test_every_command_of_the_program_is_in_the_reference(
    generate: ModuleType, pages: dict[str, str]
) -> None:
    command: Any = build_command()
    text = pages["commands.md"]
    assert all(f"## {path}\n" in text for path, _ in generate._leaves("restante", command))
    assert text.count("\n## ") > 25


def test_the_documents_are_in_plain_english() -> None:
    """`make check` does the same for docstrings, comments and messages."""
    documents = [path for path in prose.every_file(prose.TOP) if path.suffix == ".md"]
    assert list(prose.findings(prose.examine(documents, prose.TOP))) == []


def test_every_picture_is_there_and_is_shown() -> None:
    shown = set()
    for page in [DOCS.parent / "README.md", *DOCS.rglob("*.md")]:
        for path in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text()):
            shown.add((page.parent / path).resolve())
    assert all(picture.is_file() for picture in shown)
    assert set((DOCS / "pictures").resolve().iterdir()) <= shown


def test_the_map_names_modules_that_there_are() -> None:
    """A path in ARCHITECTURE.md such as `smtp/phases` is a module, a package, or a name in one."""
    text = (prose.TOP / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:[a-z_]+/)+[a-z_]+)[`.]", text)
    source = prose.TOP / "src" / "restante"
    tops = {path.name for path in source.iterdir()}
    inside = {path for path in paths if path.split("/")[0] in tops}
    assert len(inside) > 50
    missing = {
        path
        for path in inside
        if not (source / path).is_dir() and not (source / f"{path}.py").is_file()
    }
    assert missing == set()


def test_the_map_lists_every_package_in_the_order_of_imports() -> None:
    text = (prose.TOP / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("## The packages")[2].partition("Pure means")[0]
    configuration = tomllib.loads((prose.TOP / "pyproject.toml").read_text(encoding="utf-8"))
    [layers, *_] = configuration["tool"]["importlinter"]["contracts"]
    packages = [layer.removeprefix("restante.") for layer in layers["layers"]]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == packages


def test_the_map_names_functions_that_there_are() -> None:
    """A name such as `outcome.outcome_of` is defined in the module of that name."""
    text = (prose.TOP / "ARCHITECTURE.md").read_text(encoding="utf-8")
    source = prose.TOP / "src" / "restante"
    modules = {path.stem: path.read_text() for path in source.rglob("*.py")}
    named = re.findall(r"`(?:[a-z_]+/)*([a-z_]+)\.([A-Za-z_]+)[`.]", text)
    inside = {(module, name) for module, name in named if module in modules}
    assert len(inside) > 8
    missing = {
        (module, name)
        for module, name in inside
        if not re.search(rf"^ *(?:async )?(?:def|class) {name}\b", modules[module], re.MULTILINE)
    }
    assert missing == set()
