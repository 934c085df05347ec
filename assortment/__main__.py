"""``python -m assortment`` is the ``assortment`` command."""

from assortment.cli import main

main()
