"""Path validation beside ``openssl verify``: the same chains are refused, for the reason that was made."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from chains import Case, cases
from counterseal.pki.openssl.codes import Error
from counterseal.pki.openssl.release import takes_deltas
from counterseal.pki.openssl.verify import DEFAULT_DEPTH, SECURITY_LEVEL, verify
from counterseal.pki.profile import Purpose
from openssl_version import program_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ERROR = re.compile(r"^error (\d+) at", re.MULTILINE)
# Decided by flags that only the program has, not by the chain that nginx verifies.
ONLY_THE_PROGRAM = {43, 62, 64}


def openssl_says(case: Case, directory: Path) -> int:
    """Return the first error that ``openssl verify`` reports, 0 when it accepts."""
    files = {"end.pem": case.chain[:1], "sent.pem": case.chain[1:], "anchors.pem": case.anchors}
    for name, certificates in files.items():
        (directory / name).write_bytes(_pem(certificates))
    purpose = "sslserver" if case.purpose is Purpose.SERVER else "sslclient"
    command = ["openssl", "verify", "-purpose", purpose, "-attime", str(int(case.at.timestamp()))]
    command += [
        "-auth_level",
        str(SECURITY_LEVEL),
        "-no-CApath",
        "-no-CAstore",
        "-CAfile",
        "anchors.pem",
        "-policy_check",
        "-policy",
        "2.5.29.32.0",
    ]
    command += ["-untrusted", "sent.pem"] if case.chain[1:] else []
    command += ["-verify_depth", str(case.depth)] if case.depth is not None else []
    for wanted in case.names:
        command += ["-verify_ip" if isinstance(wanted, x509.IPAddress) else "-verify_hostname", str(wanted.value)]
    if case.crls is not None:
        (directory / "crls.pem").write_bytes(b"".join(crl.public_bytes(Encoding.PEM) for crl in case.crls))
        command += ["-CRLfile", "crls.pem", "-crl_check_all"]
    ran = subprocess.run([*command, "end.pem"], cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    found = _ERROR.search(ran.stdout + ran.stderr)
    assert found or ran.returncode == 0, ran.stderr
    return int(found[1]) if found else 0


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_openssl_refuses_for_the_reason_that_was_made(case: Case, tmp_path: Path) -> None:
    """What is a failure for us is one for OpenSSL, but for the lapses that OpenSSL accepts: their number is 0."""
    passed_over = case.name.startswith("delta") and not takes_deltas(program_version())
    assert openssl_says(case, tmp_path) == (Error.UNABLE_TO_GET_CRL if passed_over else case.openssl)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_openssl_says_is_foretold(case: Case, tmp_path: Path) -> None:
    """The first error of the steps that are followed in ``pki/openssl`` is that of the program."""
    expected = openssl_says(case, tmp_path)
    if expected in ONLY_THE_PROGRAM:
        expected = 0
    depth = DEFAULT_DEPTH if case.depth is None else case.depth
    told = verify(
        case.chain[0],
        case.chain[1:],
        case.anchors,
        purpose=case.purpose,
        at=case.at,
        crls=case.crls,
        depth=depth,
        takes_deltas=takes_deltas(program_version()),
    )
    assert told.first == expected


def _pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
