"""Every alert with its name and what it means to a person (RFC 8446 6.2, RFC 5246 7.2.2, RFC 6066 9)."""

from __future__ import annotations

from typing import NamedTuple


class AlertMeaning(NamedTuple):
    """An alert's name, and why a peer sends it."""

    name: str
    meaning: str


ALERT_MEANINGS = {
    0: AlertMeaning("close_notify", "the sender will send nothing more: an orderly end"),
    10: AlertMeaning("unexpected_message", "a message came where it does not belong"),
    20: AlertMeaning("bad_record_mac", "a record cannot be decrypted: damaged, or the two sides have different keys"),
    21: AlertMeaning("decryption_failed", "a record cannot be decrypted (TLS 1.0 and before)"),
    22: AlertMeaning("record_overflow", "a record is longer than TLS allows"),
    30: AlertMeaning("decompression_failure", "compressed data cannot be read"),
    40: AlertMeaning(
        "handshake_failure",
        "no common ground: no cipher suite, group or signature algorithm that both sides take, or (in TLS 1.2) no "
        "client certificate where one is required",
    ),
    41: AlertMeaning("no_certificate", "the client has no certificate (SSL 3.0)"),
    42: AlertMeaning("bad_certificate", "the certificate is damaged, or its signature does not verify"),
    43: AlertMeaning("unsupported_certificate", "the certificate is of a kind, or for a purpose, that is not taken"),
    44: AlertMeaning("certificate_revoked", "the certificate has been revoked by its CA"),
    45: AlertMeaning("certificate_expired", "the certificate has expired, or is not yet valid"),
    46: AlertMeaning("certificate_unknown", "the certificate is not accepted, for a reason that is not said"),
    47: AlertMeaning("illegal_parameter", "a field in a message contradicts another, or is out of range"),
    48: AlertMeaning("unknown_ca", "the certificate leads to no CA that the sender of the alert trusts"),
    49: AlertMeaning("access_denied", "the certificate is valid, but the sender of the alert does not let it in"),
    50: AlertMeaning("decode_error", "a message cannot be read: a field is out of range or the length is wrong"),
    51: AlertMeaning("decrypt_error", "a signature or a Finished value does not verify"),
    60: AlertMeaning("export_restriction", "export-grade keys were asked for (TLS 1.0 and before)"),
    70: AlertMeaning("protocol_version", "the other side offered no TLS version that the sender of the alert takes"),
    71: AlertMeaning("insufficient_security", "the other side offered only ciphers that are too weak here"),
    80: AlertMeaning("internal_error", "something failed inside the sender of the alert: a key file, memory"),
    86: AlertMeaning("inappropriate_fallback", "the client retried with a lower version than both sides speak"),
    90: AlertMeaning("user_canceled", "somebody cancelled the handshake"),
    100: AlertMeaning("no_renegotiation", "the sender of the alert does not renegotiate"),
    109: AlertMeaning("missing_extension", "an extension that must be there is missing"),
    110: AlertMeaning("unsupported_extension", "an extension came that was not offered"),
    111: AlertMeaning("certificate_unobtainable", "the certificate cannot be fetched from its URL"),
    112: AlertMeaning(
        "unrecognized_name", "the server has no site of the name in the SNI, or takes nobody without one"
    ),
    113: AlertMeaning("bad_certificate_status_response", "the stapled OCSP response is not acceptable"),
    114: AlertMeaning("bad_certificate_hash_value", "a certificate does not have the announced hash"),
    115: AlertMeaning("unknown_psk_identity", "the offered pre-shared key is not known"),
    116: AlertMeaning("certificate_required", "a client certificate is required and none was sent (TLS 1.3)"),
    120: AlertMeaning("no_application_protocol", "no application protocol (ALPN) that both sides speak"),
}


def alert_meaning(description: int) -> AlertMeaning:
    """Return name and meaning of an alert's number; an unassigned one is named by its number."""
    return ALERT_MEANINGS.get(description, AlertMeaning(f"alert {description}", "an alert that no standard assigns"))
