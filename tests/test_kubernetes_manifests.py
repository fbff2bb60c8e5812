"""contrib/kubernetes: the manifests have the form that Kubernetes wants, and fit together.

No test has a cluster. The database's kind belongs to CloudNativePG, whose schema is not here: the
fields that no mail is lost without are looked at one by one.
"""

from pathlib import Path
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]

from restante.config.load import load_with_warnings

PLACE: Final = Path(__file__).parents[1] / "contrib/kubernetes"
OF_OTHERS: Final = {"Cluster", "Kustomization"}  # kinds that are not of Kubernetes itself
VERSIONS: Final = ("1.30", "1.37")
APP: Final = {"app.kubernetes.io/name": "restante"}

Manifest = dict[str, Any]


def read(name: str) -> list[Manifest]:
    return [one for one in yaml.safe_load_all((PLACE / name).read_text(encoding="utf-8")) if one]


KUSTOMIZATION: Final[Manifest] = read("kustomization.yaml")[0]
MANIFESTS: Final = [one for name in KUSTOMIZATION["resources"] for one in read(name)]


def only(kind: str, name: str) -> Manifest:
    [found] = [one for one in MANIFESTS if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


STATEFUL_SET: Final[Manifest] = only("StatefulSet", "restante")["spec"]
POD: Final[Manifest] = STATEFUL_SET["template"]["spec"]
CONTAINER: Final[Manifest] = POD["containers"][0]
MOUNTS: Final = {one["mountPath"]: one["name"] for one in CONTAINER["volumeMounts"]}
PORTS: Final = {one["name"]: one["containerPort"] for one in CONTAINER["ports"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_each_manifest_has_the_schema_of_its_kind(version: str) -> None:
    validated = [one for one in MANIFESTS if one["kind"] not in OF_OTHERS]
    assert len(validated) >= 7
    for one in validated:
        kubernetes_validate.validate(one, version, strict=True)


def test_a_misspelled_field_is_noticed() -> None:
    """The test above is one that can fail."""
    wrong = {**only("StatefulSet", "restante"), "spec": {**STATEFUL_SET, "replica": 3}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_each_file_is_used_and_each_that_is_named_is_there() -> None:
    settings = [name for one in KUSTOMIZATION["configMapGenerator"] for name in one["files"]]
    named = {"kustomization.yaml", *KUSTOMIZATION["resources"], *settings}
    assert named == {file.name for file in PLACE.iterdir()}


def test_the_settings_are_valid_and_their_files_are_mounted() -> None:
    environment = {"RESTANTE_HOSTNAME": "restante-2.mx.example.net"}
    config, warnings = load_with_warnings(PLACE / "restante.toml", environment)
    assert warnings == []
    files = [config.key_file, config.store_password_file, *config.tls.certificate, *config.tls.key]
    for file in files:
        assert file is not None
        assert str(file.parent) in MOUNTS
    assert str(config.local_directory) in MOUNTS
    addresses = [*(one.address for one in config.listen), config.telemetry.metrics]
    assert {int(one.rpartition(":")[2]) for one in addresses} == set(PORTS.values())
    assert "restante-db-rw" in config.store
    volumes = {one["name"] for one in POD["volumes"]}
    assert volumes == set(MOUNTS.values())


def test_commits_wait_for_a_standby_always() -> None:
    database = only("Cluster", "restante-db")["spec"]
    assert database["instances"] == 3
    assert database["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
        "failoverQuorum": True,
    }
    assert database["affinity"]["podAntiAffinityType"] == "required"


def test_services_lead_to_ports_of_the_servers_and_keep_the_addresses_of_clients() -> None:
    services = [one for one in MANIFESTS if one["kind"] == "Service"]
    for service in services:
        assert service["spec"]["selector"] == APP
        assert {one["targetPort"] for one in service["spec"]["ports"]} <= PORTS.keys()
    world = only("Service", "restante-mail")["spec"]
    assert world["externalTrafficPolicy"] == "Local"
    assert {one["port"] for one in world["ports"]} == {25, 465, 443}
    assert STATEFUL_SET["serviceName"] == "restante-servers"


def test_each_selector_finds_the_servers() -> None:
    assert STATEFUL_SET["template"]["metadata"]["labels"] == APP
    assert STATEFUL_SET["selector"]["matchLabels"] == APP
    budget = only("PodDisruptionBudget", "restante")["spec"]
    assert budget["selector"]["matchLabels"] == APP
    assert budget["maxUnavailable"] == 1
    allowed = [
        port["port"]
        for rule in only("NetworkPolicy", "restante")["spec"]["ingress"]
        for port in rule["ports"]
    ]
    assert set(allowed) == PORTS.keys()


def test_a_server_has_no_rights_and_stops_in_its_time() -> None:
    assert POD["securityContext"]["runAsNonRoot"]
    assert POD["securityContext"]["fsGroup"] == POD["securityContext"]["runAsUser"]
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["terminationGracePeriodSeconds"] >= 60
    probes = {
        kind: CONTAINER[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")
    }
    assert probes == {"liveness": "/healthz", "readiness": "/readyz"}
    for volume in POD["volumes"]:
        if "secret" in volume:  # for the server's group: the key file must be for nobody else
            assert volume["secret"]["defaultMode"] == 0o440
