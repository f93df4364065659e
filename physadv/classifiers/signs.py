"""The bundled classifier of traffic signs: 43 German classes, small enough to attack on a laptop.

`python -m reproductions.sign_classifier` trains its weights, `physadv harden` the hardened ones.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from physadv.classifiers.specs import SIGN_LABELS
from physadv.classifiers.weight_files import fill, read_state_dict

WEIGHTS = Path(__file__).parent / "weights" / "signs.safetensors"
"""The weights that come with the package; the model card lies beside them."""
HARDENED_WEIGHTS = WEIGHTS.with_name("signs-hardened.safetensors")
"""The weights of the same network after `physadv harden`; the model card lies beside them."""


class SignsNetwork(nn.Module):
    """Five convolutions and two linear layers on a 32 × 32 view of the sign.

    Every view is standardised by its own mean and deviation: photos of signs span two orders of magnitude of
    brightness.

    Shape: float RGB (B, 3, H, W) in [0, 1], any H and W → logits (B, 43).
    """

    side = 32

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolution(3, 32),
            *_convolution(32, 64, stride=2),
            *_convolution(64, 64),
            nn.MaxPool2d(2),
            *_convolution(64, 128),
            *_convolution(128, 128),
            nn.MaxPool2d(2),
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(128 * 4 * 4, 128, bias=False),
            nn.BatchNorm1d(128),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(128, len(SIGN_LABELS)),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 43) of float RGB images (B, 3, H, W) in [0, 1]."""
        size = (self.side, self.side)
        if images.shape[-2:] != size:
            images = F.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        variance = (images - mean).square().mean(dim=(1, 2, 3), keepdim=True)
        # The floor is one 8-bit level: a flat image stays flat instead of having its rounding amplified.
        logits: Tensor = self.head(self.features((images - mean) * torch.rsqrt(variance + (1 / 255) ** 2)))
        return logits


def load_network(weights: Path) -> SignsNetwork:
    """Return the network with the weights of a file, safetensors or a plain state dict, in eval mode.

    A file that is missing or not of this network raises ClassifierError.
    """
    network = SignsNetwork()
    fill(network, read_state_dict(weights, network.state_dict()), weights, "the sign classifier")
    return network.eval()


def _convolution(channels_in: int, channels_out: int, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(channels_out), nn.ReLU()
