"""The card that lies beside hardened weights: how they were made, what they are worth, what they are not."""

import torch

from physadv.classifiers.signs import SignsNetwork
from physadv.signs.drawing.faces import ABROAD
from physadv.signs.training.fitting import BATCH, LABEL_SMOOTHING, WEIGHT_DECAY
from physadv.signs.training.harden_settings import PEAK_RATE, ROTATION, Hardened, HardenSettings
from physadv.signs.training.inner_attacks import FAR
from physadv.signs.training.universal_stickers import PIECES

_CARD = """\
# {file}: the sign classifier, hardened against stickers

| | |
|---|---|
| command | `{command}` |
| seed | {seed} |
| torch | {torch}, {threads} CPU thread(s) |
| parameters | {parameters:,} (float32) |
| file size | {bytes:,} bytes |
| GTSRB test images | {after.test} right |
| photos of US stop signs | {after.victims} right |
| test images with stickers | {after.stickered} right |
| GTSRB test images, before | {before.test} right |
| photos of US stop signs, before | {before.victims} right |
| test images with stickers, before | {before.stickered} right |

All are of this file, reloaded; "before" is `{model}`. The test images are the 3,000 `test_images` of
`gtsrb32.npz`; the photos are the 40 "victims" published with *Robust Physical-World Attacks*
(Eykholt et al. 2018). None was trained on. Stickers are made anew against each of the two, for every
tenth test image: a square of 10 % of it, at the worst of 3 places, by 20 steps.

## Architecture

`SignsNetwork`, that of `signs.safetensors`; see its card.

## Training

Adversarial training (Madry et al. 2018): {epochs} epochs of AdamW (peak rate {rate}, one-cycle, weight
decay {decay}, batches of {batch}, label smoothing {smoothing}) on {trained:,} images, starting from
`{model}`, each image augmented as in its training (`sign_augmentation.py`).
In every batch {stickered:g} % of the images wear stickers of their own that the network is attacked with
as it stands: squares, discs or RP2's two bars, covering {low:g} to {high:g} % of the image, turned up to
{rotation:g}° either way, at the worst of {places} random places, optimised by {steps} steps of Adam from
mid-grey, at a falling rate that spans the range of colours (after Rao et al. 2020 and Wu et al. 2020).
A further {shared:g} % are {sets} groups of signs, each of one class, with a chance of {focus:g} %
`{protect}`, and in one set of stickers: {fewest} to {most} rectangles anywhere on the sign, {shared_low:g}
to {shared_high:g} % of it, of the worst of 1 to {layouts} random layouts in the signs' own colours, one for
all rectangles or one for each, optimised from there over all of the group by {shared_steps} such steps
(after Mummadi et al. 2019). They hang on the signs before these are augmented or, half of the time, left
as they are; and half of the time images are seen from afar, at {near} to {far} pixels a side.
{abroad}
{noise}
The last epoch is what is kept.

## Limits

- It withstands what it was trained against, in part, and stickers made in more steps than in training
  break more of it. Hardening against stickers alone can cost robustness against noise, as it did the
  bundled file: `docs/results/hardened.md` has its numbers; measure your own the same way.
- All other limits are those of `signs.safetensors`, and so is this: **not for** driving, driver
  assistance, mapping, enforcement or any use in which an error does harm.
"""


def model_card(settings: HardenSettings, done: Hardened, trained: int) -> str:
    """Return the card, in Markdown, of weights that were trained on `trained` images."""
    noise = (
        f"A further 30 % bear L∞ noise of eps {settings.eps}, found by {settings.steps} signed steps."
        if settings.eps
        else "No other attack was trained against."
    )
    mixture = settings.mixture()
    inner, universal = mixture.stickers, mixture.universal
    return _CARD.format(
        file=done.weights.name,
        command=settings.command(),
        model=settings.start,
        seed=settings.seed,
        epochs=settings.epochs,
        steps=settings.steps,
        stickered=100 * settings.stickered,
        low=100 * settings.area[0],
        high=100 * settings.area[1],
        places=inner.places,
        rotation=ROTATION,
        shared=100 * settings.shared,
        protect=settings.protect,
        focus=100 * settings.focus,
        near=FAR[1],
        far=FAR[0],
        abroad=(
            f"Of the `{settings.protect}` groups {100 * settings.drawn:g} % are drawings of the sign as it\n"
            f"is in another country (`{ABROAD[settings.protect]}`)."
            if settings.drawn and settings.protect in ABROAD
            else "All were photographed."
        ),
        fewest=PIECES[0],
        most=PIECES[1],
        shared_low=100 * universal.area[0],
        shared_high=100 * universal.area[1],
        shared_steps=universal.steps,
        sets=mixture.sets,
        layouts=universal.layouts,
        noise=noise,
        trained=trained,
        before=done.before,
        after=done.after,
        batch=BATCH,
        rate=PEAK_RATE,
        decay=WEIGHT_DECAY,
        smoothing=LABEL_SMOOTHING,
        parameters=sum(p.numel() for p in SignsNetwork().parameters()),
        bytes=done.weights.stat().st_size,
        torch=torch.__version__.partition("+")[0],
        threads=torch.get_num_threads(),
    )
