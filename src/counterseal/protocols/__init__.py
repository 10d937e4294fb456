"""The faces of the CA: each speaks one protocol, stands on ``authority`` and ``service``, and knows no other face.

A face is a function from a Service (and its own rules) to a Face, its routes and background work; ``compose.serve``
has one line for each.
"""
