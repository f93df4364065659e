"""Light and tone: pointwise changes of images, one parameter per image."""

from torch import Tensor


def adjust_brightness(images: Tensor, shift: Tensor) -> Tensor:
    """Add a constant to every pixel and clip, as Kurakin et al. 2017 change brightness.

    Args:
        images: float (B, C, H, W) in [0, 1].
        shift: (B,), in units of the images (30 8-bit levels are 30/255).

    Returns:
        (B, C, H, W) in [0, 1].
    """
    return (images + per_image(shift, images)).clamp(0, 1)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Stretch every channel about its own mean and clip: (x − mean)·factor + mean.

    Kurakin et al. 2017 give no formula for their change of contrast; this is TensorFlow's
    `tf.image.adjust_contrast`, which keeps brightness and contrast two separate things.

    Args:
        images: float (B, C, H, W) in [0, 1].
        factor: (B,), 1 changes nothing, 0 leaves the mean.

    Returns:
        (B, C, H, W) in [0, 1].
    """
    mean = images.mean(dim=(2, 3), keepdim=True)
    return ((images - mean) * per_image(factor, images) + mean).clamp(0, 1)


def per_image(values: Tensor, images: Tensor) -> Tensor:
    """Return values (B,) as (B, 1, 1, 1) of the images' dtype and device."""
    return values.to(images).reshape(-1, 1, 1, 1)
