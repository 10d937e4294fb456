"""Schemathesis over the whole API of a running service: no 5xx, and nothing that the document does not say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api_client import Client, make_api, make_client, make_token
from architecture.source_tree import ROOT
from service_process import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

SECONDS = 900
EXAMPLES = {
    "admin": ("examples,coverage,fuzzing", 10),
    "operator": ("coverage", 1),
    "viewer": ("coverage", 1),
    "token": ("coverage", 1),
}
"""An admin may do everything, so his run is the long one; those of the others see what is refused to them.

The last one has a token and no certificate, and sees that nothing is answered without it.
"""

CONFIGURATION = """
# What fits the document can still be refused: by role or policy, by the state of things, or because a value that is
# written as it should be (a CSR, a duration, a cursor) cannot be read or meant.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 422, 429]

# What does not fit the document may be too large besides, which is found first.
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]
"""
BY_CERTIFICATE = """
# That of TLS is shown whatever header is left out.
[checks.ignored_auth]
enabled = false

[generation]
with-security-parameters = false
"""
BY_TOKEN = """
[auth.openapi.token]
bearer = "{secret}"
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service that the runs share."""
    home = tmp_path_factory.mktemp("api") / "home"
    make_api(home)
    make_client(home, "alice")
    with running(home) as service:
        yield service


def assert_no_failure(service: Running, place: Path, configuration: str, *options: str, **variables: str) -> None:
    """Run Schemathesis in ``place``; it must find nothing, and the service log no failure of its own."""
    (place / "schemathesis.toml").write_text(CONFIGURATION + configuration)
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", "schemathesis.toml", "run", f"{service.url}/v1/openapi.json"),
            *("--tls-verify", str(service.root), "--seed", "1", "--no-color"),
            *("--request-timeout", "60", "--suppress-health-check", "all", *options),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=place,
        env={
            **os.environ,
            "SSL_CERT_FILE": str(service.root),
            **variables,
        },
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert [line for line in service.log if line["event"] == "failure"] == []


def certificate_of(service: Running, name: str) -> tuple[str, ...]:
    """Return the options with which Schemathesis shows a certificate."""
    certificate, key = Client(service, name).files
    return "--request-cert", str(certificate), "--request-cert-key", str(key)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_undocumented_and_no_failure(service: Running, name: str, tmp_path: Path) -> None:
    """As the holder of a certificate of each role, or of a token; every check, the same cases each time."""
    phases, examples = EXAMPLES[name]
    options = ("--phases", phases, "--max-examples", str(examples))
    if name == "token":
        secret = make_token(service.home, name, "--role", "admin")["secret"]
        assert_no_failure(service, tmp_path, BY_TOKEN.format(secret=secret), *options)
    else:
        assert_no_failure(service, tmp_path, BY_CERTIFICATE, *certificate_of(service, name), *options)


def test_step_by_step(service: Running, tmp_path: Path) -> None:
    """What was made is shown, renewed, revoked ... in any order, as the links of the document lead."""
    options = ("--phases", "stateful", "--max-examples", "20", "--mode", "positive")
    hooks = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "SCHEMATHESIS_HOOKS": "api_steps"}
    assert_no_failure(service, tmp_path, BY_CERTIFICATE, *certificate_of(service, "admin"), *options, **hooks)
