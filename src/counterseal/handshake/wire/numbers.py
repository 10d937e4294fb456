"""The numbers of the IANA TLS registries under their names: versions, extensions, groups, signature schemes.

A number without a name is shown in hex, and one of GREASE's (RFC 8701), which clients send to keep servers tolerant,
as such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TLS12, TLS13 = 0x0303, 0x0304

VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", TLS12: "TLS 1.2", TLS13: "TLS 1.3"}

EXTENSIONS = {
    0: "server_name",
    1: "max_fragment_length",
    5: "status_request",
    10: "supported_groups",
    11: "ec_point_formats",
    13: "signature_algorithms",
    14: "use_srtp",
    15: "heartbeat",
    16: "application_layer_protocol_negotiation",
    17: "status_request_v2",
    18: "signed_certificate_timestamp",
    19: "client_certificate_type",
    20: "server_certificate_type",
    21: "padding",
    22: "encrypt_then_mac",
    23: "extended_master_secret",
    24: "token_binding",
    27: "compress_certificate",
    28: "record_size_limit",
    34: "delegated_credential",
    35: "session_ticket",
    41: "pre_shared_key",
    42: "early_data",
    43: "supported_versions",
    44: "cookie",
    45: "psk_key_exchange_modes",
    47: "certificate_authorities",
    48: "oid_filters",
    49: "post_handshake_auth",
    50: "signature_algorithms_cert",
    51: "key_share",
    57: "quic_transport_parameters",
    58: "ticket_request",
    13172: "next_protocol_negotiation",
    17513: "application_settings",
    17613: "application_settings",
    65037: "encrypted_client_hello",
    65281: "renegotiation_info",
}

GROUPS = {
    19: "secp192r1",
    21: "secp224r1",
    22: "secp256k1",
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    26: "brainpoolP256r1",
    27: "brainpoolP384r1",
    28: "brainpoolP512r1",
    29: "x25519",
    30: "x448",
    31: "brainpoolP256r1tls13",
    32: "brainpoolP384r1tls13",
    33: "brainpoolP512r1tls13",
    41: "curveSM2",
    256: "ffdhe2048",
    257: "ffdhe3072",
    258: "ffdhe4096",
    259: "ffdhe6144",
    260: "ffdhe8192",
    512: "MLKEM512",
    513: "MLKEM768",
    514: "MLKEM1024",
    4587: "SecP256r1MLKEM768",
    4588: "X25519MLKEM768",
    4589: "SecP384r1MLKEM1024",
    4590: "curveSM2MLKEM768",
    25497: "X25519Kyber768Draft00",
}

_HYBRIDS = {
    4587: ("secp256r1", "ML-KEM-768"),
    4588: ("x25519", "ML-KEM-768"),
    4589: ("secp384r1", "ML-KEM-1024"),
    4590: ("curveSM2", "ML-KEM-768"),
    25497: ("x25519", "Kyber-768, a draft of ML-KEM"),
}
_POST_QUANTUM = {512: "ML-KEM-512", 513: "ML-KEM-768", 514: "ML-KEM-1024"}

SIGNATURE_SCHEMES = {
    0x0201: "rsa_pkcs1_sha1",
    0x0202: "dsa_sha1",
    0x0203: "ecdsa_sha1",
    0x0301: "rsa_pkcs1_sha224",
    0x0302: "dsa_sha224",
    0x0303: "ecdsa_sha224",
    0x0401: "rsa_pkcs1_sha256",
    0x0402: "dsa_sha256",
    0x0403: "ecdsa_secp256r1_sha256",
    0x0501: "rsa_pkcs1_sha384",
    0x0502: "dsa_sha384",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0601: "rsa_pkcs1_sha512",
    0x0602: "dsa_sha512",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0708: "sm2sig_sm3",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
    0x081A: "ecdsa_brainpoolP256r1tls13_sha256",
    0x081B: "ecdsa_brainpoolP384r1tls13_sha384",
    0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
    0x0904: "mldsa44",
    0x0905: "mldsa65",
    0x0906: "mldsa87",
}

CERTIFICATE_TYPES = {1: "rsa_sign", 2: "dss_sign", 3: "rsa_fixed_dh", 4: "dss_fixed_dh", 64: "ecdsa_sign"}


def name_of(table: Mapping[int, str], number: int) -> str:
    """Return the registered name of a two-byte ``number``, ``GREASE``, or the number in hex."""
    return table.get(number) or ("GREASE" if is_grease(number) else f"0x{number:04x}")


def names_of(table: Mapping[int, str], numbers: Iterable[int]) -> tuple[str, ...]:
    """Return the names of several numbers, GREASE left out: it stands for nothing."""
    return tuple(name_of(table, number) for number in numbers if not is_grease(number))


def is_grease(number: int) -> bool:
    """Whether ``number`` is one of the sixteen values of RFC 8701: 0x0a0a, 0x1a1a … 0xfafa."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF  # noqa: PLR2004 - RFC 8701 2


def explain_group(number: int) -> str:
    """Return a group's name, and for post-quantum ones what they are made of."""
    name = name_of(GROUPS, number)
    if number in _HYBRIDS:
        classical, quantum = _HYBRIDS[number]
        return f"{name} (post-quantum hybrid: {classical} and {quantum})"
    return f"{name} (post-quantum: {_POST_QUANTUM[number]})" if number in _POST_QUANTUM else name


def is_post_quantum(number: int) -> bool:
    """Whether the secret agreed on in this group outlives a quantum computer."""
    return number in _HYBRIDS or number in _POST_QUANTUM
