"""Print it, photograph it, measure what survives.

physadv takes adversarial examples from tensor to score: perturb, print on tagged sheets, photograph, crop
and count how many were destroyed on the way.
"""

__version__ = "0.1.0"
