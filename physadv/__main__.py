"""`python -m physadv` is the command `physadv`."""

from physadv.cli import main

if __name__ == "__main__":
    main()
