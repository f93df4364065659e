"""The shared data where it is present, the smallest classifier and images, and one small real run."""

import csv
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import hypothesis
import pytest
import skimage.data
import torch
from filelock import FileLock
from PIL import Image
from torch import nn

from physadv import parallel
from physadv.attacks.recipes import RECIPES
from physadv.classifiers import Classifier, load_classifier
from physadv.cli import main
from physadv.phone import PhonePreset, load_phone_preset
from physadv.pipeline import made_by, photograph
from physadv.pipeline.crop import crop
from physadv.pipeline.generate import generate
from physadv.pipeline.print_sheets import print_sheets
from physadv.pipeline.settings import GenerateSettings
from physadv.runs import Capture, Printout
from physadv.sheets import page_pixels
from physadv.signs.drawing.drawing import draw_demo_set

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

RUN = "mine"
WORKER = os.environ.get("PYTEST_XDIST_WORKER")

if WORKER:  # two workers with a thread for each core would wait for one another
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    parallel.usable_cores = lambda: 1  # nor is a core free for processes that nobody asked for
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in a shell's background; children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def small_phone(name: str) -> PhonePreset:
    """A preset as it is loaded; the package's own with half as many pixels a side."""
    preset = load_phone_preset(name)
    if name.endswith(".toml"):
        return preset
    phone = preset.phone
    half = replace(phone, width=phone.width // 2, height=phone.height // 2, focal=phone.focal / 2)
    return replace(preset, phone=half)


# What tests photograph through the pipeline is found as well in photos of 3 megapixels, not 12, and of sheets
# printed at 254 dpi, not 508. Whole ones are taken in tests/phone and tests/capture.
made_by.load_phone_preset = small_phone
page_pixels.__defaults__ = (10,)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin long tests first, so that no worker waits for one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("extras"):
        if find_spec(marker.args[0]) is None:
            pytest.skip(f"needs {marker.args[0]}: make test-extras")


@pytest.fixture(scope="session")
def data_if_any() -> Path | None:
    """The folder of shared data, for a test that looks at what is in it beside what it can make by itself."""
    folder = Path(os.environ.get("PHYSADV_DATA", Path(__file__).parents[2] / "shared" / "data"))
    return folder if (folder / "traffic").is_dir() else None


@pytest.fixture(scope="session")
def shared_data(data_if_any) -> Path:
    return data_if_any or pytest.skip("needs the shared data (set PHYSADV_DATA)")


@pytest.fixture(scope="session")
def photographs() -> list[Path]:
    """The photos that come with scikit-image."""
    folder = Path(skimage.data.__file__).parent
    return [folder / name for name in ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")]


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


@pytest.fixture
def few_steps(monkeypatch) -> None:
    """Gives EOT five steps by default, where a test asks whether the pieces fit and not how well it fools."""
    monkeypatch.setitem(RECIPES, "eot", replace(RECIPES["eot"], steps=5))


@pytest.fixture
def signs_network() -> nn.Module:
    """The bundled network of signs, which the test may train."""
    return load_classifier("signs").network


@pytest.fixture
def noise_signs() -> tuple[torch.Tensor, torch.Tensor]:
    """Eight images of noise, of the size of a sign (8, 3, 32, 32), and eight labels."""
    return torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(8)


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
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Fills a folder once for all workers of a test run; it is not to be written to afterwards."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if WORKER else base

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, unfinished = shared / name, shared / f"{name}.part"
        with FileLock(shared / f"{name}.lock"):
            if not folder.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                fill(unfinished)
                unfinished.rename(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def signs_csv(made_once) -> Path:
    """Five drawn signs of 64 pixels and the CSV file that names them."""

    def fill(folder: Path) -> None:
        rows = []
        for index, (label, pixels) in enumerate(draw_demo_set(5, size=64, seed=0)):
            Image.fromarray(pixels).save(folder / f"{index}.png")
            rows.append((f"{index}.png", label))
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("path", "label"), *rows])

    return made_once("signs", fill) / "labels.csv"


@pytest.fixture(scope="session")
def signs_folder(signs_csv, made_once) -> Path:
    """The same five signs in a folder of their own, without labels."""

    def fill(folder: Path) -> None:
        for path in signs_csv.parent.glob("*.png"):
            shutil.copy(path, folder)

    return made_once("unlabelled", fill)


@pytest.fixture(scope="session")
def generated_root(made_once, signs_csv) -> Path:
    """A root in which a run of five pairs has been generated; not to be written to, like the roots below."""
    return made_once(
        "generated", lambda root: generate(Printout(root, RUN), GenerateSettings(images=signs_csv))
    )


@pytest.fixture(scope="session")
def printed_root(made_once, generated_root) -> Path:
    """The same with its one sheet printed."""

    def fill(root: Path) -> None:
        shutil.copytree(generated_root, root, dirs_exist_ok=True)
        print_sheets(Printout(root, RUN))

    return made_once("printed", fill)


@pytest.fixture(scope="session")
def photographed_root(made_once, printed_root) -> Path:
    """The same with one simulated photo."""

    def fill(root: Path) -> None:
        shutil.copytree(printed_root, root, dirs_exist_ok=True)
        photograph.photograph_simulated(Printout(root, RUN), Capture(root, RUN), shots=1, workers=1)

    return made_once("photographed", fill)


@pytest.fixture(scope="session")
def cropped_root(made_once, photographed_root) -> Path:
    """The same with its cells cropped."""

    def fill(root: Path) -> None:
        shutil.copytree(photographed_root, root, dirs_exist_ok=True)
        crop(Printout(root, RUN), Capture(root, RUN), workers=1)

    return made_once("cropped", fill)


@pytest.fixture
def copy_of(tmp_path) -> Callable[[Path], Path]:
    """Copies a root, for a test that writes to it."""
    return lambda root: shutil.copytree(root, tmp_path / "root")
