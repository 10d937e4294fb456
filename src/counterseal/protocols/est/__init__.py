"""Enrolment over Secure Transport (RFC 7030, RFC 8951): certificates for devices and people, by token or mutual TLS."""
