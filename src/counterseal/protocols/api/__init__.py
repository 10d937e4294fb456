"""REST under ``/v1/``: all that the command line does, for programs; described in ``/v1/openapi.json`` (OpenAPI 3.1).

An operation is declared once (``operation``): its path, who may, what it takes and answers. Routing, checking and the
document are made from that. The work itself is that of ``authority``, as for the command line.
"""
