"""What an attack wants, as losses to minimise: objectives of logits, and penalties of the values themselves.

Also the colours of a print: the nearest in a palette, and the few that represent a picture best.
"""

from collections.abc import Callable, Sequence

import torch
from kornia.color import rgb_to_lab
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from physadv.attacks.errors import AttackError
from physadv.attacks.recipes import Nps

Objective = Callable[[Tensor], Tensor]
"""Logits (S, B, K) of S samples of B images → losses (S, B), each to be made small."""
Penalty = Callable[[Tensor], Tensor]
"""Values of a variable → losses, one a row or one in all, added to the expected loss."""

PRINTABLE = torch.tensor(
    [
        [0.12, 0.93, 0.52, 0.78, 0.15, 0.17, 0.12, 0.75, 0.93],  # red
        [0.12, 0.93, 0.52, 0.16, 0.55, 0.18, 0.55, 0.18, 0.87],  # green
        [0.12, 0.91, 0.52, 0.16, 0.25, 0.50, 0.75, 0.47, 0.15],  # blue
    ]
).T.contiguous()
"""Eight corners of the cube and mid-grey as office printers make them: an illustration, not a measurement."""


def untargeted_cross_entropy(labels: Tensor) -> Objective:
    """Return the objective that raises the cross-entropy of the true labels, int64 (B,)."""
    return lambda logits: -_cross_entropy(logits, labels)


def targeted_cross_entropy(targets: Tensor) -> Objective:
    """Return the objective that lowers the cross-entropy of the targets, int64 (B,)."""
    return lambda logits: _cross_entropy(logits, targets)


def untargeted_likelihood(labels: Tensor) -> Objective:
    """Return −log(1 − p_y) of the true labels, int64 (B,): the cross-entropy of any other class.

    Unlike minus the cross-entropy of the labels it is bounded below and can be weighed against another loss.
    """
    return lambda logits: logits.logsumexp(dim=-1) - _others(logits, labels).logsumexp(dim=-1)


def untargeted_margin(labels: Tensor, confidence: float = 0.0) -> Objective:
    """Return max(Z_y − max_{i≠y} Z_i, −confidence) of int64 (B,) labels: Carlini & Wagner 2017, f6."""
    return lambda logits: _lead(logits, labels).clamp_min(-confidence)


def targeted_margin(targets: Tensor, confidence: float = 0.0) -> Objective:
    """Return max(max_{i≠t} Z_i − Z_t, −confidence) of int64 (B,) targets: Carlini & Wagner 2017, f6."""
    return lambda logits: (-_lead(logits, targets)).clamp_min(-confidence)


@torch.no_grad()
def least_likely_class(classifier: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the class with the lowest logit for each clean image, int64 (B,) (Kurakin et al. 2017, 2.3)."""
    return classifier(images).argmin(dim=1)


@torch.no_grad()
def runner_up_class(classifier: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """Return the likeliest class of each image that is not its label, int64 (B,)."""
    return _others(classifier(images), labels).argmax(dim=1)


def random_target(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Return a class other than the label, drawn uniformly, int64 (B,); none there raises AttackError."""
    if classes < 2:
        raise AttackError(f"a random target needs 2 classes or more, not {classes}")
    shift = torch.randint(1, classes, labels.shape, generator=generator, device=generator.device)
    return (labels + shift.to(labels)) % classes


def ensemble(classifiers: Sequence[Callable[[Tensor], Tensor]]) -> Callable[[Tensor], Tensor]:
    """Return one classifier that averages several of the same classes.

    It maps images (N, 3, H, W) to logits (N, K), the log of mean probabilities. Cross-entropy of it is
    −log Σ αᵢ Jᵢ(x) with equal α, the ensemble objective of Liu et al. 2017, eq. 6.

    Raises:
        AttackError: there are no classifiers.
    """
    if not classifiers:
        raise AttackError("an ensemble needs one classifier or more")

    def answer(images: Tensor) -> Tensor:
        each = torch.stack([classifier(images).log_softmax(dim=1) for classifier in classifiers])
        return each.logsumexp(dim=0) - torch.tensor(float(len(classifiers))).log().to(images)

    return answer


def total_variation(pictures: Tensor) -> Tensor:
    """Return the mean of √(Δx² + Δy²) over pixels and channels, (B,), of pictures (B, C, H, W).

    Smoothness as in Sharif et al. 2016, eq. 4, divided by the number of terms.
    """
    right = pictures[..., :-1, 1:] - pictures[..., :-1, :-1]
    down = pictures[..., 1:, :-1] - pictures[..., :-1, :-1]
    # The root has no gradient at zero, where every flat picture is.
    return (right.square() + down.square() + 1e-8).sqrt().mean(dim=(1, 2, 3))


def non_printability_product(pictures: Tensor, printable: Tensor = PRINTABLE) -> Tensor:
    """Return the mean over pixels of log Π_c ‖p − c‖, (B,): Sharif et al. 2016, eq. 5, as a logarithm.

    The product underflows with a few dozen colours; its logarithm has the same minima. Pictures are
    (B, 3, H, W) in [0, 1], `printable` is (C, 3).
    """
    return (_distances(pictures, printable) + 1e-4).log().sum(dim=1).mean(dim=(1, 2))


def non_printability_minimum(pictures: Tensor, printable: Tensor = PRINTABLE) -> Tensor:
    """Return the mean over pixels of min_c ‖p − c‖, (B,): Thys et al. 2019, section 3.

    Pictures are (B, 3, H, W) in [0, 1], `printable` is (C, 3).
    """
    return _distances(pictures, printable).amin(dim=1).mean(dim=(1, 2))


NON_PRINTABILITY: dict[Nps, Callable[[Tensor, Tensor], Tensor]] = {
    "product": non_printability_product,
    "minimum": non_printability_minimum,
}


def pixels_under(pictures: Tensor, mask: Tensor) -> Tensor:
    """Return the pixels of pictures (B, 3, H, W) that lie under a mask (H, W) as one row, (B, 3, 1, M)."""
    return pictures[..., mask > 0.5][:, :, None]


def lab_distance(pictures: Tensor, source: Tensor) -> Tensor:
    """Return the root mean square difference of two batches (B, 3, H, W) in CIELAB, (B,).

    It is the distance of Athalye et al. 2018, section 2.2, but per pixel.
    """
    difference = (rgb_to_lab(pictures) - rgb_to_lab(source)).square().sum(dim=1)
    return (difference.mean(dim=(1, 2)) + 1e-12).sqrt()


def nearest_colours(pictures: Tensor, palette: Tensor) -> Tensor:
    """Return pictures (B, 3, H, W) with every pixel replaced by the nearest of a palette (N, 3)."""
    flat = pictures.movedim(1, -1)
    chosen = torch.cdist(flat.reshape(-1, 3), palette.to(pictures)).argmin(dim=1)
    return palette.to(pictures)[chosen].reshape(flat.shape).movedim(-1, 1)


def flat_colours(picture: Tensor, mask: Tensor, count: int, printable: Tensor | None) -> Tensor:
    """Return the colours (count, 3) that represent a picture best under a mask: k-means from its extremes.

    The picture is (1, 3, S, S) in [0, 1], the mask (S, S). `printable` (C, 3) limits the choice to these.
    """
    pixels = picture[0, :, mask > 0.5].T
    # The first extreme is the pixel farthest from the mean, each next one the farthest from those before.
    extremes = [pixels[(pixels - pixels.mean(dim=0)).norm(dim=1).argmax()]]
    while len(extremes) < count:
        extremes.append(pixels[torch.cdist(pixels, torch.stack(extremes)).amin(dim=1).argmax()])
    centres = torch.stack(extremes)
    for _ in range(30):
        nearest = torch.cdist(pixels, centres).argmin(dim=1)
        own = one_hot(nearest, count).to(pixels)
        held = own.sum(dim=0)[:, None]
        centres = torch.where(held > 0, own.T @ pixels / held.clamp_min(1), centres)
    if printable is None:
        return centres
    chosen: list[int] = []
    for centre in centres:
        distance = (printable - centre).norm(dim=1)
        distance[chosen] = torch.inf
        chosen.append(int(distance.argmin()))
    return printable[chosen]


def printing_errors(stickers: Tensor, mask: Tensor, printable: Tensor) -> dict[str, float]:
    """Return how far stickers (1, 3, S, S) under a mask (S, S) are from printable colours (C, 3).

    `nps_product` and `nps_minimum` are the non-printability scores; `palette_error` is the root mean square
    distance to the nearest colour, in 8-bit levels a channel.
    """
    pixels = pixels_under(stickers, mask)
    nearest = torch.cdist(pixels[0, :, 0].T, printable.to(pixels)).amin(dim=1)
    return {
        "nps_product": float(non_printability_product(pixels, printable)),
        "nps_minimum": float(non_printability_minimum(pixels, printable)),
        "palette_error": float((nearest.square().mean() / 3).sqrt() * 255),
    }


def _distances(pictures: Tensor, printable: Tensor) -> Tensor:
    """Return ‖p − c‖ of every pixel and colour, (B, C, H, W)."""
    difference = pictures[:, None] - printable.to(pictures)[None, :, :, None, None]
    return (difference.square().sum(dim=2) + 1e-8).sqrt()


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits.movedim(-1, 1), labels.expand(logits.shape[:-1]), reduction="none")


def _others(logits: Tensor, labels: Tensor) -> Tensor:
    """Return logits (…, B, K) with −∞ in the place of the labels' own."""
    return logits.masked_fill(one_hot(labels, logits.shape[-1]).bool(), -torch.inf)


def _lead(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the logit of a class minus the largest other logit, (S, B)."""
    own = logits.gather(-1, labels.expand(logits.shape[:-1]).unsqueeze(-1)).squeeze(-1)
    return own - _others(logits, labels).amax(dim=-1)
