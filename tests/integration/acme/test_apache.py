"""Apache gets its own certificate: mod_md, with a bound account, by http-01 and by tls-alpn-01; and renews it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from integration.acme.conftest import Lab, start_lab
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 60
MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """
ServerRoot "{path}"
PidFile httpd.pid
ErrorLog error.log
LogLevel info md:debug
ServerName localhost
{user}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule md_module {modules}/mod_md.so
Listen 127.0.0.1:{http}
Listen 127.0.0.1:{https}
Protocols http/1.1 acme-tls/1
MDStoreDir md
MDCertificateAuthority {directory}
MDCertificateAgreement accepted
MDCACertificateFile "{root}"
MDExternalAccountBinding {kid} {mac_key}
MDContactEmail ops@example.com
MDPortMap http:{http} https:{https}
MDCAChallenges {challenge}
MDRetryDelay 1s
MDRenewWindow 90d
MDomain {name}
<VirtualHost 127.0.0.1:{http}>
  ServerName {name}
</VirtualHost>
<VirtualHost 127.0.0.1:{https}>
  ServerName {name}
  SSLEngine on
</VirtualHost>
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, int]]:
    """Return the server that asks for an external account binding, and the port of http-01."""
    with ExitStack() as stack:
        port = free_port()
        home = tmp_path_factory.mktemp("apache") / "home"
        yield start_lab(stack, home, "external_account_required = true", http_port=port), port


@contextmanager
def apache(lab: Lab, port: int, challenge: str) -> Iterator[Path]:
    """Run an Apache in a directory of its own, which its workers, who are another user, may enter."""
    made = json.loads(counterseal(lab.service.home, "acme", "eab", "add", "apache", "--json").stdout)
    with TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        text = CONFIGURATION.format(
            path=path,
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
            modules=MODULES,
            http=port,
            https=lab.tls_port,
            directory=lab.directory,
            root=shutil.copy(lab.service.root, path),
            kid=made["external_key"]["id"],
            mac_key=made["hmac_key"],
            challenge=challenge,
            name=f"{challenge}.example.com",
        )
        (path / "httpd.conf").write_text(text)
        process = subprocess.Popen(["/usr/sbin/apache2", "-DFOREGROUND", "-f", str(path / "httpd.conf")])
        try:
            yield path
        finally:
            process.terminate()
            process.wait(SECONDS)


def wait_for(condition: Callable[[], bool], log: Path) -> None:
    """Look until it holds; what Apache has logged is shown when it does not come true."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_apache_gets_its_certificate_and_serves_it(shared: tuple[Lab, int], challenge: str) -> None:
    """After the restart that mod_md asks for, a client that knows the root alone is let in; then it renews."""
    lab, port = shared
    name = f"{challenge}.example.com"
    curl = ["curl", "-sS", "-o", "/dev/null", "--cacert", str(lab.service.root)]
    curl += ["--connect-to", f"{name}:443:127.0.0.1:{lab.tls_port}", f"https://{name}/"]

    def is_served() -> bool:
        return subprocess.run(curl, capture_output=True, timeout=SECONDS, check=False).returncode == 0

    with apache(lab, port, challenge) as path:
        log = path / "error.log"
        wait_for(lambda: log.exists() and "AH10059" in log.read_text(), log)
        assert not is_served()
        os.kill(int((path / "httpd.pid").read_text()), signal.SIGUSR1)
        wait_for(is_served, log)
        wait_for(lambda: log.read_text().count("AH10059") > 1, log)
    listed = json.loads(counterseal(lab.service.home, "list", "--name", name, "--json").stdout)["certificates"]
    assert [one["status"] for one in listed] == ["valid", "valid"]
