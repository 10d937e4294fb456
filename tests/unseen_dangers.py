"""Every danger that ``nginx -t`` passes and the linter in a deploy refuses, as what a renderer in error would write.

No row of the proof can see it, or only in one form, or it is of a backend or a stream and the linter comes before the
row. Each entry makes one mistake in the right files of a generation, and bears the name of the lint rule that has to
refuse it. The sites that it is made in are below; what is written into the files comes from the lab of the linter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.fileset import FileSet, PlannedFile
from nginx_lint_lab import CASES, PUBLIC, lab_files, make_odd_root, to_pem_file

if TYPE_CHECKING:
    from broken_sites import Version

SITES = """\
[nginx]
binary = "{nginx}"

[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
client_cas = ["clients", "partners"]
upstream = "127.0.0.1:1"
identity_headers = "standard"
allow = {{ subjects = ["CN=alice"], groups = ["ops"] }}

[sites.safe]
server_names = ["safe.test"]
listen = ["127.0.0.1:{port}"]
upstream = "https://127.0.0.1:1"
upstream_tls = {{ name = "app.internal", client_certificate = "issued" }}

[[sites.safe.locations]]
path = "/rpc/"
upstream = "grpcs://127.0.0.1:1"

[sites.db]
kind = "stream"
server_names = ["db.test"]
listen = ["127.0.0.1:{stream}"]
upstream = "tls://127.0.0.1:1"
upstream_tls = {{ name = "db.internal" }}
"""
LEAF, KEY, ROOT = (lab_files()[name] for name in ("alice.pem", "alice.key", "other.pem"))
_PANEL, _SAFE, _PROXY = "sites/panel.conf", "sites/safe.conf", "sites/panel.proxy.conf"
_FINGERPRINT = ":".join(["AB"] * 20)
_VERDICT_ALONE = "proxy_set_header X-SSL-Client-Verify $ssl_client_verify;"
_CERTIFICATE = "ssl_certificate server.pem; ssl_certificate_key server.key;"
_STREAM = "stream.conf"
_CAS, _FOREIGN = "sites/panel.client-cas.pem", "sites/foreign.pem"


@dataclass(frozen=True, slots=True)
class Unseen:
    """A mistake: what is replaced in which file (pattern, replacement), what is added to it, and modes of files."""

    code: str
    edits: tuple[tuple[str, str, str], ...] = ()
    more: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    since: Version = (0, 0, 0)
    before: Version = (99, 0, 0)
    name: str = ""

    def __str__(self) -> str:
        return f"{self.code}{', ' if self.name else ''}{self.name}"

    def make(self, right: FileSet, directory: str) -> FileSet:
        """Return the files with the mistake; ``@DIR@`` is where they will lie. Fails where there is no place."""
        contents = {file.path: file.content for file in right}
        for path, pattern, replacement in self.edits:
            text, count = re.subn(pattern, replacement.replace("@DIR@", directory), contents[path].decode())
            assert count, f"nothing to break in {path}: {pattern}"
            contents[path] = text.encode()
        for path, content in self.more.items():
            contents[path] = contents.get(path, b"") + content.replace(b"@DIR@", directory.encode())
        modes = {file.path: file.mode for file in right} | self.modes
        return FileSet(tuple(PlannedFile(path, content, modes.get(path, 0o644)) for path, content in contents.items()))


def _in_server(*lines: str) -> tuple[str, str, str]:
    return _PANEL, r"server_name panel.test;", rf"\g<0> {' '.join(lines)}"


def _in_location(pattern: str, replacement: str) -> tuple[str, str, str]:
    """Edit the location of the application alone: the prover's own, which a row looks at, stays right."""
    return _PANEL, rf"(location / \{{[^}}]*){pattern}", rf"\g<1>{replacement}"


def _gated_by(condition: str) -> tuple[str, str, str]:
    return _PANEL, r"(if \(\$counterseal_panel_entry [^}]*\}\s*)+", f"if ({condition}) {{ return 403; }} "


def _of_case(code: str) -> Unseen:
    """Return the bad case of a rule as one more file of ours, beside the files of the lab that it names."""
    text = (CASES / code / "bad.conf").read_text().replace("include tls.inc;", _CERTIFICATE)
    kind = "stream" if "stream {" in text else "http"
    text = text.partition(f"{kind} {{")[2].replace("include http.inc;", "").rstrip().removesuffix("}")
    named = [name for name in lab_files() if re.search(rf"(?<=[ /]){re.escape(name)}\b", text)]
    for name in named:
        text = re.sub(rf"(?<= ){re.escape(name)}\b", f'"@DIR@/lab/{name}"', text)
    files = {f"lab/{name}": lab_files()[name] for name in named}
    include = {f"{kind}.conf": f'include "@DIR@/case-{kind}.conf";\n'.encode()}
    return Unseen(code, more={f"case-{kind}.conf": text.encode(), **files, **include})


FILES = (
    Unseen("mtls-ca-file-contains-key", more={_CAS: KEY}),
    Unseen("mtls-ca-file-contains-leaf", more={_CAS: LEAF}),
    Unseen("mtls-public-ca-bundle", more={_CAS: to_pem_file(make_odd_root(*PUBLIC))}),
    Unseen(
        "mtls-trusted-certificate-widens",
        (
            (_PANEL, r"(ssl_trusted_certificate) [^;]*;", r'\1 "@DIR@/sites/foreign.pem";'),
            _gated_by("$ssl_client_verify != SUCCESS"),
        ),
        {_FOREIGN: ROOT},
    ),
    Unseen("mtls-crl-file-contains-certificate", more={"sites/panel.crl.pem": ROOT}, before=(1, 27, 2)),
    Unseen(
        "mtls-conf-command-replaces-trust",
        (_in_server('ssl_conf_command VerifyCAFile "@DIR@/sites/foreign.pem";'),),
        {_FOREIGN: ROOT},
    ),
    Unseen("tls-key-world-readable", modes={"sites/panel.key.pem": 0o644}),
    Unseen("tls-key-inline-data", ((_PANEL, r"(ssl_certificate_key) [^;]*;", r'\1 "data:$ssl_server_name";'),)),
    Unseen("tls-legacy-protocols", ((_PANEL, r"ssl_protocols", r"\g<0> TLSv1.1"),)),
)
SESSIONS = (
    Unseen(
        "mtls-cross-vhost-resumption",
        (
            (_PANEL, r"ssl_session_cache off", "ssl_session_cache shared:all:1m"),
            (_SAFE, r"ssl_session_cache off", "ssl_session_cache shared:all:1m"),
            (_SAFE, r"sites/safe\.(chain|key|client-cas)", r"sites/panel.\1"),
        ),
        since=(1, 29, 2),
    ),
    Unseen(
        "id-cache-shared-between-clients",
        (
            ("http.conf", r"map_hash_max_size", r'proxy_cache_path "@DIR@/cache" keys_zone=pages:1m; \g<0>'),
            _in_location("proxy_pass", "proxy_cache pages; proxy_pass"),
        ),
    ),
)
IDENTITY = (
    Unseen("id-dn-regex-unanchored", (("http.conf", r"(CN=alice)\\\\z", r"\1"),), name="end"),
    Unseen("id-dn-regex-unanchored", (("http.conf", r'"~\^[^"]*CN=alice\\\\z"', '"~CN=alice"'),), name="both ends"),
    Unseen("id-dn-regex-unanchored", (("http.conf", r"(OU=ops)\(\?:\[,\+\]\|\\\\z\)", r"\1"),), name="group"),
    Unseen(
        "id-dn-without-issuer",
        (
            ("http.conf", r"log_format", r'map $ssl_client_s_dn $listed { default 0; "CN=alice" 1; } \g<0>'),
            _gated_by("$listed = 0"),
        ),
    ),
    Unseen("id-dn-legacy-format", (_in_server('if ($ssl_client_s_dn = "/O=Lab/CN=mallory") { return 403; }'),)),
    Unseen(
        "id-fingerprint-format", (_in_server(f'if ($ssl_client_fingerprint = "{_FINGERPRINT}") {{ return 403; }}'),)
    ),
    Unseen("id-header-inheritance-lost", (_in_location(r"include [^;]*;", ""), _in_server(_VERDICT_ALONE))),
    Unseen("id-header-not-overwritten", (_in_location(r"include [^;]*;", _VERDICT_ALONE),)),
    Unseen("id-raw-cert-header", ((_PROXY, r"\$ssl_client_escaped_cert", "$ssl_client_raw_cert"),)),
)
BACKENDS = (
    Unseen("up-verify-off", (("sites/safe.proxy_ssl.conf", r"proxy_ssl_verify on", "proxy_ssl_verify off"),)),
    Unseen("up-grpc-verify-off", (("sites/safe.grpc_ssl.conf", r"grpc_ssl_verify on", "grpc_ssl_verify off"),)),
    Unseen("up-plain-http", (_in_location(r'proxy_pass "[^"]*"', 'proxy_pass "http://192.0.2.5:9000"'),)),
)
STREAMS = (
    Unseen("stream-listen-without-ssl", ((_STREAM, r"(listen [^;]*) ssl", r"\1"),)),
    Unseen(
        "stream-optional-not-enforced",
        (
            (_STREAM, r"ssl_verify_client on", "ssl_verify_client optional"),
            (_STREAM, r'proxy_pass "?\$[^;]*', 'proxy_pass "127.0.0.1:1"'),
        ),
    ),
    Unseen("stream-upstream-verify-off", ((_STREAM, r"proxy_ssl_verify on", "proxy_ssl_verify off"),)),
)
CASES_OF_RULES = tuple(
    map(
        _of_case,
        (
            "id-serial-format",
            "mtls-check-by-http-host",
            "mtls-check-by-request-uri",
            "mtls-check-skipped-by-rewrite",
            "mtls-front-controller-open",
            "mtls-crl-delta",
            "mtls-merge-slashes-off",
            "mtls-ocsp-without-resolver",
            "mtls-off-by-slash",
            "mtls-verify-never-empty",
            "stream-preread-after-tls",
            "up-connection-of-another-certificate",
            "up-crl-delta",
            "up-crl-expired",
            "up-crl-missing-for-intermediate",
            "up-session-of-another-certificate",
            "up-trusted-lacks-root",
        ),
    )
)
"""What our renderer comes nowhere near, and what no lab has told but the linter's own."""
UNSEEN = (*FILES, *SESSIONS, *IDENTITY, *BACKENDS, *STREAMS, *CASES_OF_RULES)
