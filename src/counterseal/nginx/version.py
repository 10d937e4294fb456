"""Which nginx this is, from the text of ``nginx -V``, and what that version can do.

``FEATURES`` is the one table of what we render or deploy differently by version; nothing else compares version numbers.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from counterseal.errors import InputError, NginxError

OLDEST = (1, 19, 4)
NEWEST = (1, 31, 5)
"""The newest nginx whose behaviour was looked at; what is judged without an nginx at hand is judged as this one."""

# Standard modules that every rendering uses; what is left out of the others is left out of the rendering.
_NEEDED = frozenset({"http_map", "http_proxy", "http_rewrite", "pcre"})

_VERSION = re.compile(r"nginx version: [^/\n]*/(\d+)\.(\d+)\.(\d+)")
_NAMED = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?:-\S+)?")
_NAMED_OPENSSL = re.compile(r"(?:\d+:)?([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})[a-z]{0,2}(?:-\S+)?")
_OPENSSL = re.compile(r"(?:built|running) with OpenSSL (\d+)\.(\d+)\.(\d+)")
_ARGUMENTS = re.compile(r"^configure arguments:(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class NginxVersion:
    """One nginx binary: version numbers, modules built in or left out by configure name, and the compiled-in paths.

    ``openssl`` is the library it runs with, None for another TLS library. ``package`` is the distribution's own version
    (``1.22.1-9+deb12u11``) when the caller knows it: distributions carry back-ported fixes.
    """

    number: tuple[int, int, int]
    openssl: tuple[int, int, int] | None = None
    modules: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    dynamic: frozenset[str] = frozenset()
    """Modules that are built as files of their own, which a configuration has to load."""
    modules_path: str = ""
    package: str | None = None
    prefix: str = ""
    conf_path: str = ""
    pid_path: str = ""
    error_log_path: str = ""
    user: str = ""

    def __str__(self) -> str:
        return ".".join(map(str, self.number))


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that only some nginx can do: since which nginx, which OpenSSL, with which module, and why we care."""

    name: str
    reason: str
    nginx: tuple[int, int, int] = OLDEST
    openssl: tuple[int, int, int] | None = None
    module: str | None = None
    standard_module: str | None = None
    """A module that is built in unless it was left out."""


FEATURES: tuple[Feature, ...] = (
    Feature(
        "reject_handshake",
        "ssl_reject_handshake closes the door that a client without SNI, or with a foreign one, would otherwise enter "
        "by the default server; without it no mutual TLS is safe, so older versions are refused",
    ),
    Feature("http2", "HTTP/2 where the module is built in", module="http_v2"),
    Feature(
        "http2_directive",
        "http2 became a directive of the server; the parameter of listen, which older versions need, is deprecated",
        nginx=(1, 25, 1),
        module="http_v2",
    ),
    Feature(
        "session_zone",
        "TLS 1.3 sessions end at ssl_session_timeout; before, ticket chaining kept an expired certificate in for ever, "
        'so sessions = "cache" is honoured only from here on, in a zone named after the generation',
        nginx=(1, 23, 2),
    ),
    Feature(
        "protocols_per_server",
        "ssl_protocols is taken from the server named by SNI; before, the default server of the socket decided, so "
        "sites that share a socket must agree on their TLS profile",
        nginx=(1, 29, 2),
    ),
    Feature(
        "grpc",
        "grpc:// and grpcs:// upstreams need the gRPC module, which is built with HTTP/2; elsewhere they are refused",
        module="http_v2",
        standard_module="http_grpc",
    ),
    Feature(
        "stream",
        "TLS in front of TCP needs the stream module with TLS; Debian has it in libnginx-mod-stream, which is loaded "
        "into an nginx of our own",
        module="stream_ssl",
    ),
    Feature(
        "stream_ocsp",
        "ssl_ocsp and ssl_stapling came to streams in 1.27.2, and a client could get past ssl_ocsp until here "
        "(CVE-2026-28755), so streams have ocsp and stapling only from here on",
        nginx=(1, 29, 7),
        module="stream_ssl",
    ),
    Feature(
        "x25519mlkem768",
        "the hybrid post-quantum group of Mozilla 6.0; an OpenSSL that does not know it refuses the whole curve list",
        openssl=(3, 5, 0),
    ),
    Feature(
        "shared_certificate_objects",
        "files with the same inode and modification time are not read again on reload, and a CRL is parsed once for "
        "all servers: a deploy must write new files, never change one in place",
        nginx=(1, 27, 2),
    ),
)


def parse_version(text: str, *, package: str | None = None) -> NginxVersion:
    """Read the output of ``nginx -V``.

    Raises NginxError: ``nginx.version`` when it is not such output, ``nginx.too_old`` below 1.19.4, and
    ``nginx.no_ssl`` when TLS is not built in.
    """
    match = _VERSION.search(text)
    if match is None:
        raise NginxError("nginx.version", f"cannot read nginx version: {text.strip()[:80]!r}")
    settings = _settings(text)
    version = NginxVersion(
        number=(int(match[1]), int(match[2]), int(match[3])),
        openssl=_openssl(text),
        modules=frozenset(name for name in map(_module, settings) if name),
        without=frozenset(
            name.removeprefix("--without-").removesuffix("_module")
            for name in settings
            if name.startswith("--without-")
        ),
        dynamic=frozenset(name.removeprefix("--with-") for name, value in settings.items() if value == "dynamic"),
        modules_path=settings.get("--modules-path", "modules"),
        package=package,
        prefix=settings.get("--prefix", "/usr/local/nginx"),
        conf_path=settings.get("--conf-path", "conf/nginx.conf"),
        pid_path=settings.get("--pid-path", "logs/nginx.pid"),
        error_log_path=settings.get("--error-log-path", "logs/error.log"),
        user=settings.get("--user", "nobody"),
    )
    _refuse_unusable(version)
    return version


def named_version(text: str) -> NginxVersion:
    """Return the nginx that a person names: ``1.28.0``, or the version of a package such as ``1.22.1-9+deb12u9``.

    Nothing is known of it but the number. Raises InputError ``nginx.version_name``.
    """
    match = _NAMED.fullmatch(text)
    if match is None:
        hint = "write it as nginx -v or the package does: 1.28.0 or 1.22.1-9+deb12u9"
        raise InputError("nginx.version_name", f"not a version of nginx: {text[:80]!r}", hint=hint)
    return NginxVersion((int(match[1]), int(match[2]), int(match[3])), package=text if "-" in text else None)


def named_openssl(text: str) -> tuple[int, int, int]:
    """Return the OpenSSL that a person names: ``3.0.22``, or the version of a package such as ``3.0.22-1~deb12u2``.

    Raises InputError ``nginx.openssl_name``.
    """
    match = _NAMED_OPENSSL.fullmatch(text)
    if match is None:
        hint = "write it as nginx -V, openssl version or the package does: 3.0.22 or 3.0.22-1~deb12u2"
        raise InputError("nginx.openssl_name", f"not a version of OpenSSL: {text[:80]!r}", hint=hint)
    return int(match[1]), int(match[2]), int(match[3])


def supports(version: NginxVersion, feature: str) -> bool:
    """Return whether this nginx has the named feature of the table; KeyError for a name that is not in it."""
    row = {known.name: known for known in FEATURES}[feature]
    return (
        version.number >= row.nginx
        and (row.openssl is None or (version.openssl is not None and version.openssl >= row.openssl))
        and (row.module is None or row.module in version.modules)
        and row.standard_module not in version.without
    )


def _refuse_unusable(version: NginxVersion) -> None:
    if not supports(version, "reject_handshake"):
        oldest = ".".join(map(str, OLDEST))
        hint = f"install nginx {oldest} or newer: older ones cannot reject a TLS handshake by its server name"
        raise NginxError("nginx.too_old", f"nginx is too old: {version}", hint=hint)
    if "http_ssl" not in version.modules:
        hint = "install an nginx built --with-http_ssl_module"
        raise NginxError("nginx.no_ssl", f"nginx is built without TLS: {version}", hint=hint)
    missing = sorted(version.without & _NEEDED)
    if missing:
        hint = "install an nginx with its standard modules"
        raise NginxError("nginx.no_module", f"nginx is built without {missing[0]}: {version}", hint=hint)


def _openssl(text: str) -> tuple[int, int, int] | None:
    """Return the OpenSSL that runs, which a distribution may have updated after nginx was built; -V names it last."""
    found = _OPENSSL.findall(text)
    return (int(found[-1][0]), int(found[-1][1]), int(found[-1][2])) if found else None


def _settings(text: str) -> dict[str, str]:
    match = _ARGUMENTS.search(text)
    try:
        words = shlex.split(match[1]) if match else []
    except ValueError as error:
        raise NginxError("nginx.version", f"cannot read nginx configure arguments: {error}") from error
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _module(setting: str) -> str | None:
    if setting.startswith("--with-") and setting.endswith("_module"):
        return setting.removeprefix("--with-").removesuffix("_module")
    return None
