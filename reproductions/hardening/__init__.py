"""Adversarial training of the sign classifier against stickers, and what it is worth.

After Madry et al. 2018 (arXiv:1706.06083), with the patches of Rao et al. 2020 (arXiv:2005.02313) and the
rectangles of Wu et al. 2020 (arXiv:1909.09552) as the inner attack.
"""
