"""`python -m reproductions.rp2 DATA` runs the study."""

from reproductions.rp2.study import main

if __name__ == "__main__":
    main()
