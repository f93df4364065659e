"""Classifiers seen through pixels: loading, preprocessing and labels.

This room turns a spec into a frozen torch module that takes float RGB images in [0, 1]. It reads weights and
label files and knows nothing of attacks, sheets or photos.
"""

from physadv.classifiers.classifier import Classifier, ClassifierError
from physadv.classifiers.loading import list_models, load_classifier

__all__ = ["Classifier", "ClassifierError", "list_models", "load_classifier"]
