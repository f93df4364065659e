"""The shared data where it is present, the smallest classifier and images, and one small real run."""

import csv
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from physadv.classifiers import Classifier
from physadv.cli import main
from physadv.pipeline.crop import crop
from physadv.pipeline.generate import generate
from physadv.pipeline.photograph import photograph_simulated
from physadv.pipeline.print_sheets import print_sheets
from physadv.pipeline.settings import GenerateSettings
from physadv.runs import Capture, Printout
from physadv.signs.drawing.drawing import draw_demo_set

RUN = "mine"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(os.environ.get("PHYSADV_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the shared data (set PHYSADV_DATA)")
    return folder


@pytest.fixture
def tiny_classifier() -> Classifier:
    """A seeded convolutional net of four classes, smooth, so that a step along its gradient pays."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.Softplus(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(128, 4),
        )
    return Classifier(network.eval(), ["a", "b", "c", "d"], "tiny")


@pytest.fixture
def tiny_images() -> torch.Tensor:
    """Six 8-bit images (6, 3, 8, 8) in [0, 1], black and white included."""
    levels = torch.randint(0, 256, (6, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    levels[0], levels[1] = 0, 255
    return levels.float() / 255


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error, after asserting that there is nothing else."""
        assert self.code == 2
        (line,) = self.err.splitlines()
        assert line.startswith("error: ")
        return line


@pytest.fixture
def physadv(capsys) -> Callable[..., Answer]:
    """Runs the command line in this process."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Answer(int(ended.value.code), out, err)

    return run


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder, hidden ones too, with its bytes."""
    return lambda folder: {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="session")
def signs_csv(tmp_path_factory) -> Path:
    """Five drawn signs of 64 pixels and the CSV file that names them."""
    folder = tmp_path_factory.mktemp("signs")
    rows = []
    for index, (label, pixels) in enumerate(draw_demo_set(5, size=64, seed=0)):
        Image.fromarray(pixels).save(folder / f"{index}.png")
        rows.append((f"{index}.png", label))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    return folder / "labels.csv"


@pytest.fixture(scope="session")
def generated_root(tmp_path_factory, signs_csv) -> Path:
    """A root in which a run of five pairs has been generated; not to be written to, like the roots below."""
    root = tmp_path_factory.mktemp("generated")
    generate(Printout(root, RUN), GenerateSettings(images=signs_csv))
    return root


@pytest.fixture(scope="session")
def printed_root(tmp_path_factory, generated_root) -> Path:
    """The same with its one sheet printed."""
    root = shutil.copytree(generated_root, tmp_path_factory.mktemp("printed"), dirs_exist_ok=True)
    print_sheets(Printout(root, RUN))
    return root


@pytest.fixture(scope="session")
def photographed_root(tmp_path_factory, printed_root) -> Path:
    """The same with one simulated photo."""
    root = shutil.copytree(printed_root, tmp_path_factory.mktemp("photographed"), dirs_exist_ok=True)
    photograph_simulated(Printout(root, RUN), Capture(root, RUN), shots=1, workers=1)
    return root


@pytest.fixture(scope="session")
def cropped_root(tmp_path_factory, photographed_root) -> Path:
    """The same with its cells cropped."""
    root = shutil.copytree(photographed_root, tmp_path_factory.mktemp("cropped"), dirs_exist_ok=True)
    crop(Printout(root, RUN), Capture(root, RUN), workers=1)
    return root


@pytest.fixture
def copy_of(tmp_path) -> Callable[[Path], Path]:
    """Copies a root, for a test that writes to it."""
    return lambda root: shutil.copytree(root, tmp_path / "root")
