"""One step of the EOT of other libraries, on the same model, images and number of transformed samples."""

from collections.abc import Callable

import kornia.augmentation as augmentation
import numpy as np
import torch
from torch import Tensor, nn

TARGET = 3


def art_step(model: nn.Module, images: Tensor, *, mended: bool) -> Callable[[], None]:
    """Return one iteration of ART's `AdversarialPatchPyTorch` over a batch of backgrounds.

    Args:
        model: the classifier.
        images: the backgrounds (B, 3, H, W).
        mended: zero the patch's gradient before every step, which the library leaves out: as shipped, a step
            follows the sum of all gradients so far.
    """
    from art.attacks.evasion import AdversarialPatchPyTorch
    from art.estimators.classification import PyTorchClassifier

    class Mended(AdversarialPatchPyTorch):  # type: ignore[misc]
        def _train_step(self, *args: object, **kwargs: object) -> Tensor:
            self._patch.grad = None
            step: Tensor = super()._train_step(*args, **kwargs)
            return step

    shape = tuple(images.shape[1:])
    estimator = PyTorchClassifier(
        model, nn.CrossEntropyLoss(), shape, 1000, clip_values=(0.0, 1.0), device_type="cpu"
    )
    attack = (Mended if mended else AdversarialPatchPyTorch)(
        estimator,
        rotation_max=22.5,
        scale_min=0.3,
        scale_max=0.5,
        learning_rate=0.05,
        max_iter=1,
        batch_size=len(images),
        patch_shape=shape,
        verbose=False,
    )
    pixels, targets = images.numpy(), np.full(len(images), TARGET)
    target = torch.from_numpy(np.eye(1000, dtype=np.float32)[targets])
    attack.generate(x=pixels[:2], y=targets[:2])
    # One iteration of `generate`'s loop, without what it does once before it.
    return lambda: attack._train_step(images=images, target=target, mask=None)


def torchattacks_step(model: nn.Module, image: Tensor, samples: int) -> Callable[[], None]:
    """Return one step of torchattacks' `EOTPGD` over a model that kornia augments before every pass.

    Args:
        model: the classifier.
        image: (1, 3, H, W).
        samples: passes whose gradients are summed.
    """
    import torchattacks

    augmented = nn.Sequential(
        augmentation.RandomAffine(22.5, scale=(0.9, 1.4), p=1.0),
        augmentation.RandomPerspective(0.2, p=1.0),
        augmentation.ColorJiggle(brightness=0.1, contrast=0.2, p=1.0),
        model,
    )
    attack = torchattacks.EOTPGD(augmented, eps=16 / 255, alpha=1 / 255, steps=1, eot_iter=samples)
    label = torch.tensor([TARGET])
    return lambda: attack(image, label)
