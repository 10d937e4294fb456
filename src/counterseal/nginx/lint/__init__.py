"""Mistakes in mutual TLS that nginx accepts without a word.

``reading`` and ``gather`` bring in the files, ``build`` makes the model (``model``), the rules of ``catalogue`` look at
it, ``engine`` runs them, and ``output`` shows what they found. Only ``gather`` touches anything outside.
"""
