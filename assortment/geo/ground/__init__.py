"""Stores, neighbourhoods, rivals, homes and dwellings on one plane, in metres."""
