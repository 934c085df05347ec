"""Whom own stores share, and who would take over."""
