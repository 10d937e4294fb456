"""kubectl reads the Secret, without a cluster."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundle_fixtures import server_credential
from counterseal.bundles.kubernetes import kubernetes_files
from counterseal.bundles.pem import pem_files
from counterseal.files import write_fileset
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not in Debian: tested where it is")


@pytest.mark.parametrize("name", ["edge-tls", "1e3", "true", "0x10", "2026-01-01", "null"])
def test_kubectl_reads_names_and_entries(tmp_path: Path, name: str) -> None:
    """A name stays a name, and the entries are the PEM files."""
    credential = replace(server_credential(), name=name)
    write_fileset(tmp_path, kubernetes_files(credential))
    command = ["kubectl", "label", "--local", "-f", f"{name}.secret.yaml", "a=b", "-o", "json"]
    secret = json.loads(run_program(*command, cwd=tmp_path))
    assert (secret["type"], secret["metadata"]["name"]) == ("kubernetes.io/tls", name)
    files = pem_files(credential)
    assert {entry: b64decode(value) for entry, value in secret["data"].items()} == {
        "tls.crt": files[f"{name}.fullchain.pem"].content,
        "tls.key": files[f"{name}.key.pem"].content,
        "ca.crt": files["ca.pem"].content,
    }
