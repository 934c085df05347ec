"""Linear programmes: arrays on HiGHS, and the whole problem in PuLP."""
