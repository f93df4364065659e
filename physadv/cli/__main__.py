"""`python -m physadv.cli` is the command `physadv`."""

from physadv.cli import main

main()
