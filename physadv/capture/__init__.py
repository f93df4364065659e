"""From a photo of printed sheets to crops on the examples' own pixel grids, and the virtual phone.

This room knows pixels, pages and cameras. It knows nothing of attacks, classifiers or the disk layout of a
run; reading photos needs no torch, only the virtual phone does.
"""
