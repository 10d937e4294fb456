"""The only place that knows which part is plugged in where.

``home`` opens a CA; ``ground`` adds the nginx that serves its sites, and is imported only by what touches nginx.
"""
