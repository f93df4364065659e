"""A few images and labels to try a classifier on, without any download."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from physadv.classifiers import Classifier

SIGN_PX, PHOTO_PX = 96, 224
PHOTOS = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "retina", "rocket")
"""Colour photos that come with scikit-image."""


def samples(classifier: "Classifier", n: int = 16, *, seed: int = 0) -> "tuple[Tensor, Tensor]":
    """Return a few images to try a classifier on, without any download.

    For the bundled classifiers of traffic signs these are drawn signs with their true labels. For any other
    classifier they are squares from the photos that come with scikit-image. Nobody has labelled those: the
    labels are the classifier's own answers, so its accuracy on them is 1 by construction.

    Args:
        classifier: decides what is drawn, and labels photos.
        n: how many images, at least 1.
        seed: of the signs' poses and the squares' places.

    Returns:
        Images (n, 3, H, W), float in [0, 1] at whole 8-bit levels, 96 pixels a side for signs and 224 for
        photos; labels (n,), int64.

    Raises:
        PhysadvError: n < 1, or no Classifier.

    Example:
        >>> import physadv
        >>> images, labels = physadv.samples(physadv.load_classifier("signs"), 2)
        >>> images.shape, labels.shape
        (torch.Size([2, 3, 96, 96]), torch.Size([2]))
    """
    import torch

    from physadv.classifiers.classifier import check_classifier
    from physadv.errors import PhysadvError
    from physadv.pipeline.examples import to_tensor
    from physadv.signs.drawing.drawing import draw_demo_set

    if n < 1:
        raise PhysadvError(f"n {n}: wanted 1 or more samples")
    check_classifier(classifier)
    if classifier.spec.partition("@")[0] in ("signs", "signs-hardened"):
        drawn = draw_demo_set(n, size=SIGN_PX, seed=seed)
        labels = torch.tensor([classifier.label_index(label) for label, _ in drawn])
        return to_tensor([pixels for _, pixels in drawn]).to(classifier.device), labels.to(classifier.device)
    images = _photo_squares(n, seed).to(classifier.device)
    return images, classifier.classes(images)


def _photo_squares(n: int, seed: int) -> "Tensor":
    import numpy as np
    from PIL import Image
    from skimage import data

    from physadv.pipeline.examples import to_tensor

    random = np.random.default_rng(seed)
    squares = []
    for index in range(n):
        photo = Image.fromarray(getattr(data, PHOTOS[index % len(PHOTOS)])())
        whole = min(photo.size)
        # The first of each photo is as large as it can be; later ones look at a part of it.
        side = whole if index < len(PHOTOS) else int(whole * random.uniform(0.5, 0.9))
        left, top = (int(random.integers(extent - side + 1)) for extent in photo.size)
        square = photo.crop((left, top, left + side, top + side))
        squares.append(np.asarray(square.resize((PHOTO_PX, PHOTO_PX), Image.Resampling.BICUBIC)))
    return to_tensor(squares)
