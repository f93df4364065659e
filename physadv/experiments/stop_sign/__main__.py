"""`python -m physadv.experiments.stop_sign DATA` runs the study."""

from physadv.experiments.stop_sign.study import main

if __name__ == "__main__":
    main()
