"""Where an EST service is: its URL as a person types it, taken apart once (RFC 7030 3.2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from counterseal.errors import InputError
from counterseal.pki.shown import has_control, quoted

WELL_KNOWN = "/.well-known/est"
_LABEL = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*|(?=.*:)[0-9A-Fa-f:.]{2,45}")
"""Labels as the system's resolver takes them, or an IPv6 address."""

_DEFAULT_PORT = 443


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Host, port and, where the URL had one, the label of one CA or profile behind that service."""

    host: str
    port: int
    label: str | None = None

    @classmethod
    def parse(cls, text: str) -> ServerAddress:
        """Return where ``text`` leads: ``https://HOST[:PORT]``, also with ``/.well-known/est[/LABEL]`` behind it.

        Raises InputError ``est.url``.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", _DEFAULT_PORT if parts.port is None else parts.port
        except ValueError as error:
            raise _refused(text) from error
        label = _label(parts.path.rstrip("/"))
        fit = parts.scheme == "https" and _HOST.fullmatch(host) and port and label is not None
        if not fit or has_control(text) or parts.query or parts.fragment or "@" in parts.netloc:
            raise _refused(text)
        return cls(host, port, label or None)

    def path(self, operation: str) -> str:
        """Return the path of an operation, such as ``simpleenroll``."""
        return "/".join((WELL_KNOWN, *([self.label] if self.label else []), operation))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}" + (f":{self.port}" if self.port != _DEFAULT_PORT else "")


def _label(path: str) -> str | None:
    """Return the label of a path, empty without one, None when the path is not that of an EST service."""
    if path in {"", WELL_KNOWN}:
        return ""
    label = path.removeprefix(f"{WELL_KNOWN}/")
    return label if label != path and _LABEL.fullmatch(label) else None


def _refused(text: str) -> InputError:
    return InputError(
        "est.url", f"not the URL of a service: {quoted(text)}", hint="write it as https://ca.example.com:8443"
    )
