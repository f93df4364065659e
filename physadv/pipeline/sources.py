"""Where source images and their labels come from: a folder, a CSV file or a tree with one folder a class."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from physadv.errors import PhysadvError
from physadv.files import file_sha256
from physadv.pictures.listing import KNOWN, pictures_in, say_left_out, visible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from physadv.classifiers import Classifier

Item = TypeVar("Item")

NAMED = 5


class SourceError(PhysadvError):
    """A source image or label file cannot be used."""


@dataclass(frozen=True)
class ListedSource:
    """A source image, its label as it was written, and where: the beginning of an error about it."""

    path: Path
    name: str
    label: str | None = None
    place: str = ""


@dataclass(frozen=True)
class Source:
    """A source image, its label an index; hash and prepared size are empty until `check_source` reads it."""

    path: Path
    name: str
    label: int | None
    sha256: str = ""
    size_px: tuple[int, int] = (0, 0)


def list_sources(images: Path) -> list[ListedSource]:
    """Return the source images at a path, in order of their names (a CSV keeps its own order).

    A CSV file has the columns `path` (relative to the file) and `label` (index or name); others are ignored.
    A folder of folders is a tree with one folder a class, named by label or index; images beside the folders
    are left out. A folder of images has no labels. No image is read.

    Raises:
        SourceError: there is nothing there, the CSV lacks a column, or it lists a file that is missing.

    Warns:
        PhysadvWarning: something in a folder is left out, with its name.
    """
    if images.is_file() and images.suffix.lower() == ".csv":
        return _from_csv(images)
    if not images.is_dir():
        raise SourceError(f"{images}: " + ("not a folder or a .csv file" if images.exists() else "not found"))
    sources, listed = [], [path for path in visible(images) if not path.is_dir()]
    for folder in folders_in(images):
        place = f"{folder}: a class folder's name must be a label: "
        pictures = pictures_in(folder)
        listed += visible(folder)
        sources += [ListedSource(path, f"{folder.name}/{path.name}", folder.name, place) for path in pictures]
    wanted = "images, all in class folders"
    if not sources:
        wanted = "images"
        sources = [ListedSource(path, path.name) for path in pictures_in(images)]
    if not sources:
        raise SourceError(f"{images}: no images ({KNOWN}) in it or one folder below")
    say_left_out(images, listed, {source.path for source in sources}, wanted)
    return sources


def pair_sources(clean: Path, adversarial: Path) -> list[tuple[ListedSource, Path]]:
    """Return listed sources, each with the file of the same path in a folder, or of the same unique name.

    Endings may differ. A file without a partner, or two of one name, are a SourceError.
    """
    listed = [(source.name, source) for source in list_sources(clean)]
    folders = (adversarial, *folders_in(adversarial))
    found = [path for folder in folders for path in pictures_in(folder)]
    files = [path for folder in folders for path in visible(folder) if path not in folders]
    say_left_out(adversarial, files, {*found}, "images")
    given = [(path.relative_to(adversarial).as_posix(), path) for path in found]
    names = [[name for name, _ in side] for side in (listed, given)]
    same_paths = {_stem(name) for name in names[0]} == {_stem(name) for name in names[1]}
    flat = not same_paths and all(len({Path(name).stem for name in side}) == len(side) for side in names)
    sources, others = _by_stem(clean, listed, flat), _by_stem(adversarial, given, flat)
    for folder, stems, partners in ((adversarial, sources, others), (clean, others, sources)):
        if missing := [stem for stem in stems if stem not in partners]:
            more = f" and {len(missing) - NAMED} more" * (len(missing) > NAMED)
            named = ", ".join(missing[:NAMED])
            raise SourceError(f"{folder}: no image for {named}{more}; wanted pairs by name")
    return [(source, others[stem]) for stem, source in sources.items()]


def _by_stem(where: Path, named: Iterable[tuple[str, Item]], flat: bool) -> dict[str, Item]:
    """Return files by their paths without endings, or by their names alone where `flat`."""
    found: dict[str, tuple[str, Item]] = {}
    for name, file in named:
        stem = Path(name).stem if flat else _stem(name)
        if stem in found:
            raise SourceError(f"{where}: {found[stem][0]} and {name} have one name; wanted one file a pair")
        found[stem] = name, file
    return {stem: file for stem, (_, file) in found.items()}


def _stem(name: str) -> str:
    return Path(name).with_suffix("").as_posix()


def label_sources(listed: Sequence[ListedSource], classifier: "Classifier") -> list[Source]:
    """Return listed images with the classifier's index of their labels; an unknown one is a SourceError."""
    sources = []
    for each in listed:
        try:
            label = None if each.label is None else classifier.label_index(each.label)
        except PhysadvError as error:
            raise SourceError(f"{each.place}{error}") from error
        sources.append(Source(each.path, each.name, label))
    return sources


def read_source(path: Path, size: int) -> "NDArray[np.uint8]":
    """Return a source image as 8-bit RGB pixels (S, S, 3): the middle square, reduced to at most `size`.

    Smaller images keep their own size. EXIF orientation is obeyed, and colours become sRGB.

    Raises:
        SourceError: the file is missing, damaged, animated, not 8-bit RGB or grey, transparent, or so large
            that decoding it would be unsafe (over 89 megapixels).
        MachineError: there was not enough memory to decode it.
    """
    import numpy as np
    from PIL import Image

    upright = read_pixels(path)
    height, width = upright.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    square = upright[top : top + side, left : left + side]
    if side > size:
        square = np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))
    return np.ascontiguousarray(square)


def read_pixels(path: Path) -> "NDArray[np.uint8]":
    """Return an image as 8-bit RGB pixels (H, W, 3), whole and at its own size; raises as `read_source`."""
    from physadv.pictures.reading import read_exact

    return read_exact(path, lambda error: SourceError(f"{path}: {error}"))


def check_source(source: Source, size: int) -> Source:
    """Return a source image with hash and size, read once so that a bad one is named before any work."""
    height, width = read_source(source.path, size).shape[:2]
    return replace(source, sha256=file_sha256(source.path), size_px=(width, height))


def neighbours_of_one_size(
    items: Iterable[Item], size: Callable[[Item], object], most: int
) -> Iterator[list[Item]]:
    """Yield neighbours of one size together, at most `most` at a time."""
    for _, group in groupby(items, size):
        while batch := list(islice(group, most)):
            yield batch


def folders_in(folder: Path) -> list[Path]:
    """Return the folders directly in a folder, by name; hidden ones are left out."""
    return [path for path in visible(folder) if path.is_dir()]


def _from_csv(table: Path) -> list[ListedSource]:
    sources = []
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = {"path", "label"} - set(rows.fieldnames or ())
            if missing:
                raise SourceError(f"{table}: no column '{min(missing)}'; wanted path,label on the first line")
            for row in rows:
                place = f"{table}: line {rows.line_num}: "
                path = table.parent / (row["path"] or "")
                if not path.is_file():
                    raise SourceError(f"{place}image '{row['path']}' not found")
                sources.append(ListedSource(path, row["path"], row["label"] or "", place))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{table}: not a CSV file in UTF-8 ({error})") from error
    if not sources:
        raise SourceError(f"{table}: lists no images")
    return sources
