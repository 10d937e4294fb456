"""A credential as a Kubernetes Secret of type ``kubernetes.io/tls``, with the root beside it as ``ca.crt``.

The keys ``tls.crt``, ``tls.key`` and ``ca.crt`` are those that ingress controllers and cert-manager use. Names follow
RFC 1123 section 2.1 as Kubernetes reads it: labels of lower-case letters, digits and inner hyphens.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from counterseal.bundles.pem import file_stem
from counterseal.errors import InputError
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.pki.pem import encode_certificates, encode_private_key

if TYPE_CHECKING:
    from counterseal.bundles.credential import Credential

MAX_SECRET_NAME = 253
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def kubernetes_files(credential: Credential) -> FileSet:
    """Return ``NAME.secret.yaml`` (0600), ready for ``kubectl apply -f``.

    The Secret is called as the credential. Raises InputError ``bundle.secret_name`` with a name that would do, and
    NotFoundError ``bundle.key_missing``.
    """
    return FileSet((PlannedFile(f"{file_stem(credential.name)}.secret.yaml", encode_secret(credential), SECRET),))


def encode_secret(credential: Credential) -> bytes:
    """Return the Secret as YAML; names are quoted, so that ``1e3`` and ``true`` stay names."""
    key = encode_private_key(credential.require_key("a Kubernetes Secret"))
    certificates = encode_certificates(credential.certificate, *credential.chain)
    anchor = encode_certificates(credential.trust_anchor)
    name = check_secret_name(credential.name)
    lines = ["apiVersion: v1", "kind: Secret", "type: kubernetes.io/tls", "metadata:", f'  name: "{name}"', "data:"]
    contents = {"tls.crt": certificates, "tls.key": key, "ca.crt": anchor}
    lines.extend(f"  {entry}: {b64encode(value).decode()}" for entry, value in contents.items())
    return ("\n".join(lines) + "\n").encode()


def check_secret_name(name: str) -> str:
    """Return a name that Kubernetes takes for a Secret; raises InputError ``bundle.secret_name``."""
    if len(name) > MAX_SECRET_NAME or not _SUBDOMAIN.fullmatch(name):
        raise InputError(
            "bundle.secret_name",
            f"not a name for a Kubernetes Secret: {name!r}",
            hint=f"lower-case letters, digits, '-' and '.', at most {MAX_SECRET_NAME}: for instance {_suggest(name)}",
        )
    return name


def _suggest(name: str) -> str:
    spelled = name.lower().replace("*", "wildcard")
    labels = (re.sub(r"[^a-z0-9]+", "-", label).strip("-") for label in spelled.split("."))
    return ".".join(label for label in labels if label)[:MAX_SECRET_NAME].strip("-.") or "client-certificate"
