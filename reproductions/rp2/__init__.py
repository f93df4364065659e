"""Eykholt et al. 2018 (RP2) repeated: `python -m reproductions.rp2 DATA`."""
