"""RP2's published noise and ours on RP2's own classifier: same 40 signs at 32 pixels, masks and noise level.

The published noise is added to a crop of 32 × 32 pixels inside a mask and clipped; so is ours, which is
optimised for what a camera does on top. Noise is equal in its range inside the mask, or also in its mean
size there. The plane that is photographed is the whole crop.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from physadv.attacks.errors import check_number
from physadv.attacks.lit_stickers import MARGIN
from physadv.attacks.loop import optimise
from physadv.attacks.objectives import Objective, targeted_cross_entropy
from physadv.attacks.optimisers import cooling_adam
from physadv.classifiers import Classifier
from physadv.errors import PhysadvError
from physadv.randomness import generator
from physadv.signs.stop_sign import FACE_SIDE
from physadv.signs.stop_sign.optimise import SIDE
from physadv.transforms import Transformation, load_preset, plus_minus, round_to_8_bits
from physadv.transforms.protocol import Composition, Parameters
from physadv.transforms.warps import Warp

STOP, SPEED_LIMIT_45 = 14, 12
FOLDER = Path("traffic") / "rp2"
MASKS = {"sticker": "lisa_rectangles.png", "poster": "lisa_octagon.png"}
_BATCH = 32
"""Views a step draws."""
_START = 8.0
"""Standard deviation of the noise that is begun with, 8-bit levels."""
_BISECTIONS = 30
_DIGITAL_WEIGHT = 1.0
"""Of the crops as they are, beside those that are photographed."""
_CROP = plus_minus(0.06)


class PublishedError(PhysadvError):
    """RP2's files are not where they should be."""


def targeted_generalised(targets: Tensor, q: float = 0.5) -> Objective:
    """Return (1 − p^q) / q of the targets' probabilities p, int64 (B,), between cross-entropy and 1 − p.

    Cross-entropy is dominated by views that fail anyway. A larger q down-weights them and brings the loss
    nearer to the share of views that miss the target (Zhang & Sabuncu 2018, eq. 6, there for labels). A q
    outside (0, 1] raises AttackError.
    """
    check_number("q", q, "above 0 and at most 1", lambda q: 0 < q <= 1)
    cross_entropy = targeted_cross_entropy(targets)
    return lambda logits: (1 - (-q * cross_entropy(logits)).exp()) / q


@dataclass(frozen=True)
class PublishedAttack:
    """One of RP2's released attacks.

    Attributes:
        kind: "sticker" or "poster".
        names: of the 40 crops.
        crops: (40, 3, 32, 32) in [0, 1].
        mask: (32, 32), 0 or 1.
        noise: (1, 3, 32, 32), what is added inside the mask.
    """

    kind: str
    names: list[str]
    crops: Tensor
    mask: Tensor
    noise: Tensor

    def added(self, noise: Tensor) -> Tensor:
        """Return the crops with a noise inside the mask, one for all or each its own, as files hold them."""
        return round_to_8_bits(self.crops + self.mask * noise)

    def range(self, noise: Tensor) -> tuple[float, float]:
        """Return the least and the largest of a noise inside the mask."""
        inside = noise[..., self.mask > 0]
        return float(inside.min()), float(inside.max())

    def mean(self, noise: Tensor) -> float:
        """Return the mean absolute noise inside the mask, over pixels and channels."""
        return float(noise[..., self.mask > 0].abs().mean())


def read_published(data: Path, kind: str) -> PublishedAttack:
    """Return a released attack from a folder that has `traffic/rp2`.

    Raises:
        PublishedError: a file is missing.
    """
    folder = data / FOLDER
    try:
        paths = sorted((folder / "victims_32px").iterdir(), key=lambda path: int(path.stem))
        crops = torch.stack([_read(path, "RGB").permute(2, 0, 1) for path in paths])
        mask = _read(folder / "masks" / MASKS[kind], "L")
        with np.load(folder / "published_noise_32px.npz") as file:
            noise = torch.from_numpy(file[f"noise_{kind}"]).permute(2, 0, 1)[None]
    except (OSError, ValueError, KeyError) as error:
        raise PublishedError(f"{folder}: RP2's files cannot be read ({error})") from error
    return PublishedAttack(kind, [path.stem for path in paths], crops, (mask > 0.5).float(), noise)


@dataclass(frozen=True)
class NoiseOnCrops:
    """One noise for all crops, in 8-bit levels (1, 3, 32, 32), within what the published one has in its mask.

    Attributes:
        attack: crops, mask and published noise.
        backgrounds: (K, 3, C, C) in [0, 1], what a photo shows around the crop.
        batch: crops a step draws.
        same_mean: whether its mean size is at most the published one's, besides its range.
    """

    attack: PublishedAttack
    backgrounds: Tensor
    batch: int
    same_mean: bool

    def start(self, generator: torch.Generator) -> Tensor:
        """Return a little noise."""
        return _START * torch.randn(self.attack.noise.shape, generator=generator)

    def images(self, values: Tensor) -> Tensor:
        """Return the noise about mid-grey."""
        return (values / 510 + 0.5).clamp(0, 1)

    def draw(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw n crops and what is around them."""
        return {
            "crop": torch.randint(len(self.attack.crops), (n,), generator=generator),
            "behind": torch.randint(len(self.backgrounds), (n,), generator=generator),
        }

    def render(self, values: Tensor, drawn: Parameters, samples: int) -> Tensor:
        """Return planes that show the drawn crops with the noise, before their backgrounds."""
        crops = self.attack.crops[drawn["crop"]]
        noisy = round_to_8_bits(crops + self.attack.mask * values / 255)
        planes = F.interpolate(noisy, (SIDE, SIDE), mode="bilinear", align_corners=False)
        scenes = self.backgrounds[drawn["behind"]].clone()
        edge = (scenes.shape[-1] - SIDE) // 2
        scenes[..., edge : edge + SIDE, edge : edge + SIDE] = planes
        return scenes

    def project(self, values: Tensor) -> Tensor:
        """Return the nearest values within the published range and, where asked, of the published mean size.

        These are clipped soft-thresholded values; the threshold is found by bisection.
        """
        low, high = (255 * end for end in self.attack.range(self.attack.noise))
        most = 255 * self.attack.mean(self.attack.noise)

        def shrunk(by: float) -> Tensor:
            return (values.sign() * (values.abs() - by).clamp_min(0)).clamp(low, high)

        if not self.same_mean or self.attack.mean(shrunk(0.0)) <= most:
            return shrunk(0.0)
        too_little, enough = 0.0, float(values.abs().max())
        for _ in range(_BISECTIONS):
            middle = (too_little + enough) / 2
            if self.attack.mean(shrunk(middle)) > most:
                too_little = middle
            else:
                enough = middle
        return shrunk(enough)


def our_noise(
    classifier: Classifier,
    attack: PublishedAttack,
    backgrounds: Tensor,
    *,
    steps: int,
    seed: int,
    same_mean: bool = False,
    batch: int = _BATCH,
) -> Tensor:
    """Return a noise (1, 3, 32, 32) made on the same crops with the same mask, for the camera as well.

    Args:
        classifier: RP2's.
        attack: the published one.
        backgrounds: as `around_planes` gives them.
        steps: of Adam.
        seed: of the start and of the draws.
        same_mean: whether its mean size is at most the published one's, besides its range.
        batch: views a step draws.
    """
    variable = NoiseOnCrops(attack, backgrounds, batch, same_mean)
    digital = targeted_generalised(torch.full((len(attack.crops),), SPEED_LIMIT_45))

    def as_files(values: Tensor) -> Tensor:
        return batch * _DIGITAL_WEIGHT * digital(classifier(attack.added(values / 255))[None]).mean()

    values = optimise(
        classifier,
        targeted_generalised(torch.full((batch,), SPEED_LIMIT_45)),
        variable,
        whole_plane(),
        cooling_adam(255 * 0.05, steps),
        steps=steps,
        samples=1,
        generator=generator(seed, "published", attack.kind),
        penalty=as_files,
    )
    return attack.mask * values.detach() / 255


def around_planes(scenes: Tensor) -> Tensor:
    """Return scenes (K, 3, h, w) in [0, 1] of the size that shows a plane with its margin."""
    whole = round(SIDE * (1 + 2 * MARGIN))
    return F.interpolate(scenes, (whole, whole), mode="bilinear", antialias=True).clamp(0, 1)


def whole_plane() -> Transformation:
    """Return `rp2-sign` for planes that are cropped as a whole, without surroundings."""
    warp, *rest = _parts(load_preset("rp2-sign"))
    inner = 1 / (1 + 2 * MARGIN)
    square = ((-inner, -inner), (inner, -inner), (inner, inner), (-inner, inner))
    return Composition((replace(warp, crop=_CROP, subject=square), *rest))


def as_planes(crops: Tensor) -> Tensor:
    """Return crops (V, 3, 32, 32) as faces (V, 3, FACE_SIDE, FACE_SIDE) to be photographed."""
    size = (FACE_SIDE, FACE_SIDE)
    return F.interpolate(crops, size, mode="bilinear", align_corners=False).clamp(0, 1)


def _parts(distribution: Transformation) -> tuple[Warp, *tuple[Transformation, ...]]:
    assert isinstance(distribution, Composition)
    first, *rest = distribution.parts
    assert isinstance(first, Warp)
    return (first, *rest)


def _read(path: Path, mode: str) -> Tensor:
    with Image.open(path) as image:
        return torch.from_numpy(np.asarray(image.convert(mode), dtype=np.float32) / 255)
