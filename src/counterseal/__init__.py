"""Counterseal: a private certificate authority for mutual TLS behind nginx."""

__version__ = "0.1.0"
