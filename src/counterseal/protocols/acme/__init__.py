"""ACME (RFC 8555) with tls-alpn-01 (RFC 8737), IP identifiers (RFC 8738), renewal information (RFC 9773) and profiles.

Pure, and tested without HTTP: ``encoding``, ``jws``, ``jwk``, ``problems``, ``states``, ``identifiers``, ``payloads``,
``nonces``, ``external``, ``objects``, ``renewal``. Jobs on the authority, run by the service's one writer:
``accounts``, ``orders``, ``authorizations``, ``issuing``, ``certificates``, ``revoking``. The edge: ``endpoint``,
``face`` and the validators in ``validation``. docs/rfc-conformance.md goes through the RFCs section by section.
"""
