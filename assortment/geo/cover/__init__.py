"""How much of each neighbourhood lies in each zone: circles exactly, other zones by their polygons."""
