"""``counterseal handshake`` beside ``openssl s_client``, as whole processes against one real nginx.

usage: python benchmarks/handshake.py [--rounds 15] [--json FILE]

Both come with a client certificate, ask for one page and end. Ours also makes every check, explains, and comes a second
time without the certificate to see whether one is required. Medians of wall time over rounds that take turns. What
bounds us: the interpreter and the imports; a command that only prints its help stands beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "tests")]

from table import Table, new_arguments  # noqa: E402 - beside them

from prove_bench import ProveBench, nginx_binaries  # noqa: E402 - of the tests, found by the line above
from prove_pki import certificate_pem, key_pem, prove_pki  # noqa: E402 - same

PROGRAM = str(Path(sys.executable).with_name("counterseal"))
SITE = "panel.prove.test"
REQUEST = f"GET / HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode()
WITH_BYTECODE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(command: list[str], stdin: bytes = b"") -> bytes:
    """Run one command to its end, and return what it printed."""
    ran = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False, env=WITH_BYTECODE)
    assert ran.returncode == 0, ran.stdout[-500:] + ran.stderr[-500:]
    return ran.stdout


def main() -> None:
    """Measure, and print the table."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    pki = prove_pki()
    seen: dict[str, list[float]] = {"openssl s_client": [], "counterseal handshake": [], "counterseal list --help": []}
    with tempfile.TemporaryDirectory() as name, ProveBench(Path(name), nginx_binaries()["system"]) as bench:
        bench.install(pki.files(leaver_revoked=False))
        bench.start()
        client, root = Path(name, "client.pem"), Path(name, "root.pem")
        client.write_bytes(certificate_pem(pki.good, pki.client_ca) + key_pem(pki.good))
        root.write_bytes(certificate_pem(pki.root))
        place = f"127.0.0.1:{bench.ports[0]}"
        files = ["-cert", str(client), "-key", str(client)]
        peer = ["openssl", "s_client", "-connect", place, "-servername", SITE, *files]
        own = [PROGRAM, "handshake", f"{SITE}:{bench.ports[0]}", "--connect", "127.0.0.1", "--home", f"{name}/no-ca"]
        for _ in range(arguments.rounds + 1):
            for who, command, stdin in (
                ("openssl s_client", [*peer, "-ign_eof"], REQUEST),
                ("counterseal handshake", [*own, "--cert", str(client), "--trust", str(root)], b""),
                ("counterseal list --help", [PROGRAM, "list", "--help"], b""),
            ):
                began = time.perf_counter()
                said = run(command, stdin)
                seen[who].append((time.perf_counter() - began) * 1000)
                assert b"200 OK" in said or "--help" in command
    table = Table("handshake")
    with table.job("a mutual TLS 1.3 handshake with nginx and one request, whole process", unit="ms"):
        for who, times in seen.items():
            table.row(who, median(times[1:]))
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
