"""The ways to draw trade areas, one file each."""
