"""The door to all bundles: files per format, what each needs, what it refuses."""

from __future__ import annotations

import plistlib

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from bundle_fixtures import PASSWORD, client_credential, without_key
from counterseal.bundles.export import ExportFormat, export
from counterseal.bundles.pkcs12 import FAST_ROUNDS, Strength
from counterseal.errors import InputError, NotFoundError, RefusedError

ENCRYPTED = [export_format for export_format in ExportFormat if export_format.needs_password]
OPEN = [export_format for export_format in ExportFormat if not export_format.needs_password]
PATHS = {
    ExportFormat.P12: ["client.device.p12", "ca.pem"],
    ExportFormat.PEM: [
        "client.device.key.pem",
        "client.device.cert.pem",
        "client.device.chain.pem",
        "client.device.fullchain.pem",
        "ca.pem",
    ],
    ExportFormat.MOBILECONFIG: ["client.device.mobileconfig"],
    ExportFormat.JAVA: ["client.device.keystore.p12", "client.device.truststore.p12"],
    ExportFormat.KUBERNETES: ["client.device.secret.yaml"],
}


@pytest.mark.parametrize("export_format", list(ExportFormat))
def test_each_format_gives_its_files_and_hides_what_holds_the_key(export_format: ExportFormat) -> None:
    """All paths are expected, and only certificates are readable by others."""
    password = PASSWORD if export_format.needs_password else None
    files = export(client_credential(), export_format, password=password, rounds=FAST_ROUNDS)
    assert [file.path for file in files] == PATHS[export_format]
    assert all(b"PRIVATE" not in file.content for file in files if not file.is_secret)
    assert any(file.is_secret for file in files)


@pytest.mark.parametrize("export_format", [one for one in ExportFormat if one.needs_key])
def test_a_format_that_needs_the_key_says_so(export_format: ExportFormat) -> None:
    """Before anything else is asked for."""
    with pytest.raises(NotFoundError, match=f"format {export_format}") as caught:
        export(without_key(client_credential()), export_format)
    assert caught.value.code == "bundle.key_missing"
    assert caught.value.hint


def test_pem_works_without_the_key() -> None:
    """A certificate made from a CSR has its key elsewhere."""
    files = export(without_key(client_credential()), ExportFormat.PEM)
    assert "client.device.key.pem" not in [file.path for file in files]


@pytest.mark.parametrize("export_format", ENCRYPTED)
def test_a_missing_and_a_weak_password_are_refused(export_format: ExportFormat) -> None:
    """Nothing leaves protected by ``changeit``."""
    with pytest.raises(InputError) as caught:
        export(client_credential(), export_format)
    assert caught.value.code == "bundle.password_missing"
    with pytest.raises(RefusedError) as refused:
        export(client_credential(), export_format, password="changeit")
    assert refused.value.code == "bundle.password_weak"


@pytest.mark.parametrize("export_format", OPEN)
def test_a_password_that_would_protect_nothing_is_refused(export_format: ExportFormat) -> None:
    """Whoever gives one expects an encrypted key."""
    with pytest.raises(InputError) as caught:
        export(client_credential(), export_format, password=PASSWORD)
    assert caught.value.code == "bundle.password_unused"


def test_the_profile_holds_a_file_that_the_password_opens() -> None:
    """And of the compatible strength unless another is asked for."""
    (file,) = export(client_credential(), ExportFormat.MOBILECONFIG, password=PASSWORD, rounds=FAST_ROUNDS)
    inside = plistlib.loads(file.content)["PayloadContent"][-1]["PayloadContent"]
    assert load_pkcs12(inside, PASSWORD.encode()).key is not None
    assert ExportFormat.MOBILECONFIG.usual_strength is Strength.COMPATIBLE
    assert ExportFormat.P12.usual_strength is Strength.MODERN
