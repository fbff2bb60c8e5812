#!/usr/bin/env python3
"""The place of `kubectl` on the machine of the documents: it checks commands and starts nothing.

    kubectl --namespace restante rollout restart statefulset/restante

It knows those verbs and options that the documents use. A directory must have a kustomization, and
an object must be one of its manifests. test_documents.py checks commands of Restante behind `--`.
"""

# ruff: noqa: T201  it says what is wrong

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

PLACE: Final = Path("contrib/kubernetes")
NAMESPACE: Final = "restante"
OPTIONS: Final = {
    "create": {"--from-file", "--cert", "--key"},
    "apply": {"--kustomize"},
    "rollout": set[str](),
    "exec": set[str](),
    "scale": {"--replicas"},
}
OBJECT: Final = re.compile(r"^kind: (\w+)\nmetadata:\n  name: ([\w-]+)", re.MULTILINE)


def wrong(words: list[str]) -> str:
    """Say what is wrong with the words behind `kubectl`; "" if nothing is."""
    if words[:1] == ["--namespace"]:
        if words[1] != NAMESPACE:
            return f"no namespace {words[1]}"
        words = words[2:]
    if not words or words[0] not in OPTIONS:
        return f"{words[:1]}: not known here"
    verb, rest = words[0], words[1 : words.index("--")] if "--" in words else words[1:]
    unknown = {one.split("=")[0] for one in rest if one.startswith("-")} - OPTIONS[verb]
    if unknown:
        return f"{verb}: no option {sorted(unknown)}"
    if verb == "apply" and not Path(rest[1], "kustomization.yaml").exists():
        return f"{rest[1]}: no kustomization"
    named = [one for one in rest if re.fullmatch(r"[a-z]+/[\w-]+", one) and verb != "apply"]
    missing = [one for one in named if one not in objects()]
    return f"no object {missing}" if missing else ""


def objects() -> set[str]:
    """Return the objects of the manifests, as kubectl names them."""
    texts = [file.read_text() for file in PLACE.glob("*.yaml")]
    return {f"{kind.lower()}/{name}" for text in texts for kind, name in OBJECT.findall(text)}


if __name__ == "__main__":
    if said := wrong(sys.argv[1:]):
        print(said, file=sys.stderr)
        sys.exit(1)
