"""``python -m imageserver``."""

from imageserver.cli import main

main()
