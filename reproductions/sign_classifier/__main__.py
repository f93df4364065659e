"""Train the bundled sign classifier: `python -m reproductions.sign_classifier DATA`.

DATA is a folder with `traffic/gtsrb32.npz` (32-pixel GTSRB signs) and `traffic/rp2/victims` (photos of stop
signs, label 14). Training sees the training images only. `--validate` holds out whole tracks, for choosing
hyper-parameters. Without it the network trains on every track, is written as safetensors with a model card
beside it, and is measured, reloaded from that file, on the test images and the stop-sign photos.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from physadv.classifiers.signs import WEIGHTS, SignsNetwork, load_network
from physadv.classifiers.weight_files import write_state_dict
from physadv.defences import Schedule, measure, train
from physadv.errors import PhysadvError
from physadv.progress import reporter
from physadv.signs.training.augmentation import augmented
from physadv.signs.training.data import Signs, read_test, read_training, read_victims

CARD = Path(__file__).with_name("card.md")
COMMAND = "python -m reproductions.sign_classifier DATA"


def held_out_tracks(tracks: np.ndarray, share: float, generator: Generator) -> Tensor:
    """Return a mask (N,) of the frames of a random `share` of each class's tracks, at least one track."""
    mask = np.zeros(len(tracks), dtype=bool)
    for label in np.unique(tracks[:, 0]):
        numbers = np.unique(tracks[tracks[:, 0] == label, 1])
        count = max(1, round(share * len(numbers)))
        drawn = numbers[torch.randperm(len(numbers), generator=generator)[:count].numpy()]
        mask |= (tracks[:, 0] == label) & np.isin(tracks[:, 1], drawn)
    return torch.from_numpy(mask)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the command line says; print accuracies; write weights and card unless validating."""
    parser = argparse.ArgumentParser(prog="python -m reproductions.sign_classifier", description=__doc__)
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="folder with traffic/gtsrb32.npz and traffic/rp2"
    )
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS, help="weights file; the card goes beside it, as .md"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random")
    parser.add_argument("--epochs", type=int, default=24, help="how many times every training image is seen")
    parser.add_argument("--validate", action="store_true", help="hold out 15 %% of the tracks; write nothing")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # the same sums in the same order on every machine with the same kernels
    torch.manual_seed(options.seed)  # initial weights and dropout; everything else draws from the generator
    generator = Generator().manual_seed(options.seed)
    schedule = Schedule(options.epochs, peak_rate=4e-3)
    try:
        signs, tracks = read_training(options.data)
        if options.validate:
            _validate(signs, tracks, schedule, generator)
        else:
            _write(_trained(signs, schedule, generator), options, schedule, len(signs.labels))
    except PhysadvError as error:
        parser.error(str(error))


def _trained(signs: Signs, schedule: Schedule, generator: Generator) -> SignsNetwork:
    progress = reporter(quiet=False)
    return train(SignsNetwork(), *signs, schedule, generator, augment=augmented, reporter=progress)


def _validate(signs: Signs, tracks: np.ndarray, schedule: Schedule, generator: Generator) -> None:
    held_out = held_out_tracks(tracks, 0.15, generator)
    network = _trained(Signs(signs.images[~held_out], signs.labels[~held_out]), schedule, generator)
    clean = Signs(signs.images[held_out], signs.labels[held_out])
    images, labels = augmented(clean.images.float() / 255, clean.labels, Generator().manual_seed(1))
    print(f"held-out tracks: {measure(network, *clean)}")
    print(f"held-out tracks, augmented: {measure(network, (images * 255).round().byte(), labels)}")


def _write(network: SignsNetwork, options: argparse.Namespace, schedule: Schedule, trained: int) -> None:
    """Write weights and card; print what the weights, read back from their file, get right."""
    test, victims = read_test(options.data), read_victims(options.data)
    write_state_dict(network, options.out)
    reloaded = load_network(options.out)
    measured = {"test": measure(reloaded, *test), "victims": measure(reloaded, *victims)}
    card = CARD.read_text(encoding="utf-8").format(
        command=f"{COMMAND} --seed {options.seed} --epochs {options.epochs}",
        seed=options.seed,
        schedule=schedule,
        parameters=sum(p.numel() for p in network.parameters()),
        size=options.out.stat().st_size,
        trained=trained,
        torch=torch.__version__.partition("+")[0],
        **measured,
    )
    options.out.with_suffix(".md").write_text(card, encoding="utf-8")
    print(f"GTSRB test images: {measured['test']}")
    print(f"photos of US stop signs: {measured['victims']}")


if __name__ == "__main__":
    main()
