"""Distance: what is far away covers few pixels of the sensor before it is cropped and enlarged."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.transforms.protocol import Parameters
from physadv.transforms.ranges import Range, require


@dataclass(frozen=True)
class Resolution:
    """A picture photographed with few pixels, then brought back to its size.

    Attributes:
        height: of the picture in the photo, pixels; one as high as the picture or higher changes nothing.

    Raises:
        TransformError: a height below 2.
    """

    height: Range

    def __post_init__(self) -> None:
        require("height", self.height, at_least=2)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `height` (n,)."""
        return {"height": self.height.draw(n, generator)}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images (n, C, H, W) reduced to whole heights, each its own, and enlarged again."""
        height, width = images.shape[-2:]
        heights = parameters["height"].round().long().tolist()
        # One sensor size at a time: reducing and enlarging are exact for a batch of one size only.
        reduced = list(images.unbind())
        for least in sorted({h for h in heights if h < height}):
            rows = [row for row, h in enumerate(heights) if h == least]
            size = (least, max(2, round(least * width / height)))
            few = F.interpolate(images[rows], size, mode="bilinear", antialias=True)
            again = F.interpolate(few, (height, width), mode="bilinear", align_corners=False)
            for row, image in zip(rows, again, strict=True):
                reduced[row] = image
        return torch.stack(reduced)
