"""The operations of EST as a client asks for them, and what each answer means (RFC 7030 4.1, 4.2).

Bodies are base64 without headers (RFC 8951 3); what a service says in words about a refusal is shown, made printable.
No answer leads anywhere else: a redirect is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.agent.exchange import Answer, exchange
from counterseal.errors import InputError, RefusedError, RemoteError
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.reading import certificates_in
from counterseal.pki.shown import printable, quoted

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from cryptography import x509

    from counterseal.agent.address import ServerAddress

    Exchange = Callable[..., Answer]

_OK, _ACCEPTED = 200, 202
_SHOWN = 300
_HINT = "hint: "
_MINUTE, _DAY = 60, 86_400
_DIGITS = 9  # more than a day has; a longer number is cut before it is read


@dataclass(frozen=True, slots=True)
class EST:
    """An EST service, and the TLS context under which it is asked."""

    server: ServerAddress
    context: ssl.SSLContext
    ask: Exchange = exchange

    def cacerts(self) -> tuple[x509.Certificate, ...]:
        """Return the CA certificates of the service: what they are worth, the TLS context decides."""
        answer = self._send("GET", "cacerts")
        if answer.status != _OK:
            refuse(self.server, answer, "the request")
        return _certificates(self.server, answer)

    def simpleenroll(self, csr: x509.CertificateSigningRequest, *, secret: str) -> x509.Certificate:
        """Return the certificate that was issued for ``csr`` against a one-time secret."""
        return self._enrol("simpleenroll", csr, {"Authorization": f"Bearer {secret}"}, "the token")

    def simplereenroll(self, csr: x509.CertificateSigningRequest, *, proof: str | None = None) -> x509.Certificate:
        """Return the successor of the certificate that the TLS context holds, or of the one that a proof is by."""
        headers = {"Authorization": f"Bearer {proof}"} if proof else {}
        return self._enrol("simplereenroll", csr, headers, "the certificate")

    def _enrol(
        self, operation: str, csr: x509.CertificateSigningRequest, headers: dict[str, str], credential: str
    ) -> x509.Certificate:
        body = base64.encodebytes(csr.public_bytes(Encoding.DER))
        answer = self._send("POST", operation, body, {"Content-Type": "application/pkcs10", **headers})
        if answer.status != _OK:
            refuse(self.server, answer, credential)
        key = csr.public_key()
        for certificate in _certificates(self.server, answer):
            if Candidate(certificate).public_key == key:
                return certificate
        raise RemoteError("est.other_key", f"the certificate from {self.server} is for another key than was sent")

    def _send(
        self, method: str, operation: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        path = self.server.path(operation)
        return self.ask(self.server, self.context, method, path, body=body, headers=headers)


def _certificates(server: ServerAddress, answer: Answer) -> tuple[x509.Certificate, ...]:
    """Return what a certs-only PKCS#7 holds (RFC 5272 4.1), base64 with or without line ends."""
    try:
        content = base64.b64decode(b"".join(answer.body.split()), validate=True)
        return certificates_in(content, source=f"the answer of {server}")
    except (binascii.Error, InputError) as error:
        kind = printable(answer.headers.get("content-type", "nothing"))[:_SHOWN]
        raise RemoteError(
            "est.malformed",
            f"{server} answered with something else than certificates: {kind}",
            hint="is that the address of counterseal serve, or of another service?",
        ) from error


def refuse(server: ServerAddress, answer: Answer, credential: str) -> NoReturn:
    """Raise what an answer other than 200 means; ``credential`` is what was shown: the token, the certificate.

    RefusedError ``est.unauthorized``, ``est.forbidden``, ``est.refused``; RemoteError ``est.pending``,
    ``est.redirect``, ``est.absent``, ``est.busy``, ``est.failed``.
    """
    (said, advice), status = _said(answer), answer.status
    later = f"run the same command again in {_seconds(answer)} s"
    if status == _ACCEPTED:
        raise RemoteError("est.pending", f"{server} has not decided yet", hint=later)
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects, RFC 9110 15.4
        place = quoted(answer.headers.get("location", ""))
        raise RemoteError("est.redirect", f"{server} leads elsewhere, which is not followed: {place}")
    if status == 401:  # noqa: PLR2004 - RFC 9110 15.5.2
        raise RefusedError("est.unauthorized", f"{server} does not take {credential}: {said}", hint=_new(credential))
    if status == 403:  # noqa: PLR2004 - RFC 9110 15.5.4
        raise RefusedError("est.forbidden", f"{server} refuses: {said}", hint=advice)
    if status in {404, 405, 501}:
        raise RemoteError("est.absent", f"{server} does not serve EST: {said}", hint="is the address right?")
    if status in {429, 503}:
        raise RemoteError("est.busy", f"{server} has no time now: {said}", hint=later)
    if 400 <= status < 500:  # noqa: PLR2004 - RFC 9110 15.5
        raise RefusedError("est.refused", f"{server} refuses what is asked for: {said}", hint=advice)
    raise RemoteError("est.failed", f"{server} failed: {said}", hint="look into its log, then run the command again")


def _new(credential: str) -> str:
    if credential == "the token":
        return "its uses or its time are over; make a new one where the CA is: counterseal token NAME --profile PROFILE"
    return "enrol anew with a token: counterseal enroll"


def _said(answer: Answer) -> tuple[str, str | None]:
    """Return the words of a problem document (RFC 9457) or a text, else the status; and the hint in a text."""
    text = answer.body[: 8 * _SHOWN].decode("utf-8", "replace").strip()
    if "json" in answer.headers.get("content-type", ""):
        try:
            problem = json.loads(answer.body)
        except (ValueError, RecursionError):
            problem = {}
        text = str(problem.get("detail") or problem.get("title") or "") if isinstance(problem, dict) else ""
    elif not answer.headers.get("content-type", "").startswith("text/plain"):
        text = ""
    lines = [printable(line.strip())[:_SHOWN] for line in text.splitlines() if line.strip()]
    hints = [line.removeprefix(_HINT) for line in lines if line.startswith(_HINT)]
    words = "; ".join(line for line in lines if not line.startswith(_HINT))
    return words or f"status {answer.status}", hints[0] if hints else None


def _seconds(answer: Answer) -> int:
    after = answer.headers.get("retry-after", "")
    return min(int(after[:_DIGITS]), _DAY) if after.isascii() and after.isdigit() else _MINUTE
