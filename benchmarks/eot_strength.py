"""How strong EOT is: the 2D case of Athalye et al. 2018 on real ImageNet images and a real classifier.

`python benchmarks/eot_strength.py DATA` makes targeted examples at the exact `athalye-2d` distribution,
random targets, and judges them on held-out draws: adversariality is the share of transformed images
classified as the target. JSON keys: `athalye2d_mean`, `athalye2d_min`, `eps`, `lab_rms` (CIELAB distance
per pixel), `images`.
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from physadv.attacks.gradient import eot
from physadv.attacks.objectives import lab_distance, random_target
from physadv.classifiers import Classifier, load_classifier
from physadv.transforms import Transformation, load_preset


def read_images(data: Path, classifier: Classifier, size: int, count: int) -> tuple[Tensor, Tensor]:
    """Return the first images that the classifier gets right, (B, 3, size, size), and their labels (B,)."""
    images, labels = [], []
    with (data / "imagenet/labels.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            with Image.open(data / "imagenet" / row["path"]) as image:
                pixels = np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))
            one = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
            if int(classifier(one).argmax()) == int(row["label"]):
                images.append(one)
                labels.append(int(row["label"]))
            if len(images) == count:
                break
    return torch.cat(images), torch.tensor(labels)


@torch.no_grad()
def adversariality(
    classifier: Classifier, images: Tensor, targets: Tensor, distribution: Transformation, draws: int
) -> Tensor:
    """Return the share of held-out views classified as the target, (B,)."""
    drawn = distribution.sample(draws, torch.Generator().manual_seed(10**9))
    shares = []
    for image, target in zip(images, targets, strict=True):
        seen = distribution.apply(image.expand(draws, -1, -1, -1), drawn)
        shares.append((classifier(seen).argmax(dim=1) == target).float().mean())
    return torch.stack(shares)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv and imagenet/nets")
    parser.add_argument("--net", default="mobilenet_v1_025_128")
    parser.add_argument("--size", type=int, default=128, help="pixels a side")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--eps", type=int, default=32, help="8-bit levels")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--draws", type=int, default=200, help="held-out transformations per image")
    parser.add_argument("--quick", action="store_true", help="four images, 40 steps")
    chosen = parser.parse_args()
    count, steps = (4, 40) if chosen.quick else (chosen.images, chosen.steps)
    classifier = load_classifier(f"file:{chosen.data / 'imagenet/nets' / chosen.net}.pt2")
    images, labels = read_images(chosen.data, classifier, chosen.size, count)
    targets = random_target(labels, len(classifier.labels), torch.Generator().manual_seed(1))
    distribution = load_preset("athalye-2d")
    started = time.perf_counter()
    batches = []
    for start in range(0, count, 4):
        rows = slice(start, start + 4)
        batches.append(
            eot(
                classifier,
                images[rows],
                labels[rows],
                eps=chosen.eps / 255,
                targets=targets[rows],
                distribution=distribution,
                samples=chosen.samples,
                steps=steps,
                generator=torch.Generator().manual_seed(start),
            )
        )
        print(f"{min(start + 4, count)} of {count} images, {time.perf_counter() - started:.0f} s", flush=True)
    adversarial = torch.cat(batches)
    before = adversariality(classifier, images, targets, distribution, chosen.draws)
    after = adversariality(classifier, adversarial, targets, distribution, chosen.draws)
    print("image  target  clean as target  adversarial as target")
    for index, (clean, share) in enumerate(zip(before.tolist(), after.tolist(), strict=True)):
        print(f"{index:5}  {int(targets[index]):6}  {100 * clean:13.1f} %  {100 * share:19.1f} %")
    result = {
        "athalye2d_mean": float(after.mean()),
        "athalye2d_min": float(after.min()),
        "eps": chosen.eps,
        "lab_rms": float(lab_distance(adversarial, images).mean()),
        "images": count,
    }
    print(
        json.dumps(
            {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}
        )
    )


if __name__ == "__main__":
    main()
