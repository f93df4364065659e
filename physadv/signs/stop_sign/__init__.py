"""The stop-sign study: stickers for a sign, printed, seen from where a driver would see them, and scored.

After Eykholt et al. 2018, "Robust Physical-World Attacks on Deep Learning Visual Classification" (RP2).
"""
