"""`physadv adopt`: folders and arrays of images attacked elsewhere, up to the report."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from physadv.runs import Printout


@pytest.fixture
def folders(tmp_path, generated_root):
    """Five clean and five adversarial files under the same names."""
    made = generated_root / "printouts" / "mine"
    return [shutil.copytree(made / kind, tmp_path / kind) for kind in ("clean", "adversarial")]


def adopted(physadv, tmp_path, clean, adversarial, *options):
    return physadv("adopt", clean, adversarial, "--name", "theirs", "--root", tmp_path, *options)


def test_two_folders_become_a_run_that_goes_round_the_loop(physadv, tmp_path, folders):
    answer = adopted(physadv, tmp_path, *folders, "--made-by", "AutoAttack", "--target", "stop")
    assert answer.code == 0
    assert "5 pairs of 5 candidates" in answer.out
    assert "largest change: L-inf 16" in answer.out
    assert "next: physadv print theirs" in answer.out
    manifest = Printout(tmp_path, "theirs").manifest()
    assert [clean.source for clean, _ in manifest.pairs()] == [f"000{k}.png" for k in range(1, 6)]
    phone = tmp_path / "phone.toml"
    phone.write_text('base = "office"\n\n[phone]\nwidth = 1512\nheight = 2016\nfocal = 1514\n')
    for command in (
        ["print"],
        ["photograph", "--simulate", "--preset", phone, "--shots", 1, "--workers", 1],
        ["crop", "--workers", 1],
        ["report", "--transform", "jpeg=50"],
    ):
        assert physadv(command[0], "theirs", *command[1:], "--root", tmp_path, "-q").code == 0
    page = (tmp_path / "captures" / "theirs" / "report.html").read_text(encoding="utf-8")
    assert f"physadv adopt {folders[0]} {folders[1]} --name theirs --model signs --target stop" in page
    assert "AutoAttack, L-inf 16 measured" in page


def test_files_are_printed_as_they_are(physadv, tmp_path, folders):
    image = np.random.default_rng(0).integers(0, 256, (20, 400, 3), dtype=np.uint8)
    for folder in folders:
        Image.fromarray(image).save(folder / "0001.png")
    assert adopted(physadv, tmp_path, *folders).code == 0
    printout = Printout(tmp_path, "theirs")
    assert np.array_equal(printout.pixels(printout.manifest().examples[0]), image)


def test_labels_come_from_a_csv_or_a_class_tree(physadv, tmp_path, folders):
    clean, adversarial = folders
    rows = [f"{path.name},stop" for path in sorted(clean.iterdir())]
    (clean / "labels.csv").write_text("\n".join(["path,label", *rows]))
    assert adopted(physadv, tmp_path, clean / "labels.csv", adversarial).code == 0
    manifest = Printout(tmp_path, "theirs").manifest()
    assert manifest.selection.labels == "given"
    assert {example.label_name for example in manifest.examples} == {"stop"}

    (clean / "labels.csv").unlink()
    for folder in folders:
        (folder / "yield").mkdir()
        for path in folder.glob("*.png"):
            path.rename(folder / "yield" / path.name)
    assert physadv("adopt", *folders, "--name", "tree", "--root", tmp_path).code == 0
    tree = Printout(tmp_path, "tree").manifest()
    assert {example.label_name for example in tree.examples} == {"yield"}

    # File names alone make the pairs where the folders differ and no name is there twice.
    flat = adversarial / "yield"
    assert physadv("adopt", clean, flat, "--name", "flat", "--root", tmp_path).code == 0
    assert Printout(tmp_path, "flat").manifest().examples == tree.examples


def arrays(folders):
    return [
        np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]) for folder in folders
    ]


def as_npy(path, images, labels):
    np.save(path.with_suffix(".npy"), images)
    return path.with_suffix(".npy")


def as_npz(path, images, labels):
    np.savez(path.with_suffix(".npz"), images=images.astype(np.float32) / 255, labels=labels)
    return path.with_suffix(".npz")


def as_pt(path, images, labels):
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    torch.save({"images": tensor, "labels": torch.tensor(labels)}, path.with_suffix(".pt"))
    return path.with_suffix(".pt")


@pytest.mark.parametrize(("write", "labelled"), [(as_npy, "predicted"), (as_npz, "given"), (as_pt, "given")])
def test_arrays_become_the_same_pictures_as_folders(physadv, tmp_path, folders, write, labelled):
    assert adopted(physadv, tmp_path / "folders", *folders).code == 0
    labels = [1, 2, 3, 4, 14]
    paths = [
        write(tmp_path / name, images, labels) for name, images in zip("ca", arrays(folders), strict=True)
    ]
    assert adopted(physadv, tmp_path / "arrays", *paths).code == 0
    found = [Printout(tmp_path / root, "theirs").manifest() for root in ("folders", "arrays")]
    assert [e.sha256 for e in found[0].examples] == [e.sha256 for e in found[1].examples]
    assert found[1].selection.labels == labelled
    if labelled == "given":
        assert [clean.label for clean, _ in found[1].pairs()] == labels


def test_files_without_a_partner_are_named(physadv, tmp_path, folders):
    clean, adversarial = folders
    (adversarial / "0003.png").unlink()
    assert (
        f"{adversarial}: no image for 0003; wanted pairs by name"
        in adopted(physadv, tmp_path, *folders).error
    )
    (clean / "0003.png").unlink()
    (adversarial / "extra.png").write_bytes((adversarial / "0001.png").read_bytes())
    assert f"{clean}: no image for extra" in adopted(physadv, tmp_path, *folders).error
    assert not (tmp_path / "printouts").exists()


def test_sizes_that_differ_are_named(physadv, tmp_path, folders):
    Image.new("RGB", (10, 10)).save(folders[1] / "0004.png")
    assert (
        "0004.png: clean is 64 × 64 pixels and adversarial 10 × 10"
        in adopted(physadv, tmp_path, *folders).error
    )


class Unsafe:
    def __reduce__(self):
        return print, ("run",)


TWO = np.zeros((2, 8, 8, 3), np.uint8)


def flip_a_byte(path):
    np.savez(path, images=TWO + 1)
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 255
    path.write_bytes(held)


@pytest.mark.parametrize(
    ("name", "write", "line"),
    [
        ("a.npy", lambda path: path.write_bytes(b"nothing"), "a.npy: not a readable NumPy file (Python obj"),
        (
            "a.npy",
            lambda path: np.save(path, np.array([Unsafe()]), allow_pickle=True),
            "a.npy: not a readable",
        ),
        ("a.npy", lambda path: np.save(path, np.zeros((2, 3), np.float32)), "a.npy: shape (2, 3); wanted"),
        (
            "a.npz",
            lambda path: np.savez(path, images=TWO + 1, labels=[1, 3]),
            "a.npz: its labels are not those",
        ),
        (
            "a.npz",
            lambda path: np.savez(path, images=TWO + 1, label=[1, 2]),
            "a.npz: holds images, label; wanted",
        ),
        ("a.npz", lambda path: np.savez(path, labels=[1, 2]), "a.npz: holds labels; wanted 'images'"),
        ("a.npz", lambda path: np.savez(path), "a.npz: holds nothing; wanted 'images'"),
        (
            "a.npz",
            lambda path: np.savez(path, images=TWO, labels=np.array([{}, {}])),
            "a.npz: not a readable",
        ),
        ("a.npz", flip_a_byte, "a.npz: not a readable NumPy file (Bad CRC-32"),
        ("a.pt", lambda path: torch.save(None, path), "a.pt: NoneType; wanted a tensor, an array or a list"),
        ("a.pt", lambda path: torch.save({"images": None}, path), "a.pt: NoneType; wanted a tensor"),
        ("a.pt", lambda path: torch.save({}, path), "a.pt: holds nothing; wanted 'images'"),
        (
            "a.pt",
            lambda path: torch.save(torch.eye(3).to_sparse(), path),
            "a.pt: a sparse, quantized or meta",
        ),
        (
            "a.pt",
            lambda path: torch.save((torch.zeros(2, 3, 8, 8),) * 2, path),
            "a.pt, image 0: shape (2, 3, 8",
        ),
        (
            "a.pt",
            lambda path: torch.save(torch.nn.Linear(1, 1), path),
            "a.pt: not a file of plain tensors, as",
        ),
    ],
)
def test_damaged_and_unsafe_arrays_are_one_line_that_names_the_file(physadv, tmp_path, name, write, line):
    np.savez(tmp_path / "c.npz", images=TWO, labels=[1, 2])
    write(tmp_path / name)
    answer = adopted(physadv, tmp_path, tmp_path / "c.npz", tmp_path / name)
    assert line in answer.error
    assert answer.code == 2
    assert not any(text in answer.error for text in ("\x1b", "allow_pickle", "Traceback"))


@pytest.mark.parametrize("labels", [3, [1.0, 2.0], [[1], [2]], [True, False]])
@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_labels_of_a_file_are_indices_or_names(physadv, tmp_path, labels, suffix):
    path = tmp_path / f"c{suffix}"
    if suffix == ".npz":
        np.savez(path, images=TWO, labels=labels)
    else:
        torch.save({"images": torch.from_numpy(TWO), "labels": labels}, path)
    np.save(tmp_path / "a.npy", TWO + 1)
    error = adopted(physadv, tmp_path, path, tmp_path / "a.npy").error
    assert f"c{suffix}: labels: " in error
    assert "wanted indices or names, one a pair" in error


def test_tensors_of_an_autograd_list_are_images(physadv, tmp_path):
    torch.save([torch.zeros(8, 8, 3, requires_grad=True)] * 2, tmp_path / "c.pt")
    np.save(tmp_path / "a.npy", TWO + 1)
    options = ["--target", "none"]
    assert adopted(physadv, tmp_path, tmp_path / "c.pt", tmp_path / "a.npy", *options).code == 0


def test_two_adversarial_files_of_one_name_are_refused(physadv, tmp_path, folders):
    shutil.copy(folders[1] / "0002.png", folders[1] / "0001.bmp")
    error = adopted(physadv, tmp_path, *folders).error
    assert f"{folders[1]}: 0001.bmp and 0001.png have one name; wanted one file a pair" in error


def test_a_pickled_program_in_a_pt_file_is_not_run(physadv, tmp_path, capsys):
    torch.save(torch.zeros(2, 3, 8, 8), tmp_path / "c.pt")
    torch.save(Unsafe(), tmp_path / "a.pt")
    answer = adopted(physadv, tmp_path, tmp_path / "c.pt", tmp_path / "a.pt")
    assert "a.pt: not a file of plain tensors" in answer.error
    assert answer.out == ""


def test_paths_that_cannot_be_are_named_before_any_model_is_loaded(physadv, tmp_path, folders):
    options = ["--model", "torchvision/never-loaded"]
    assert (
        "nowhere: not found" in adopted(physadv, tmp_path, tmp_path / "nowhere", folders[1], *options).error
    )
    np.save(tmp_path / "a.npy", np.zeros((2, 8, 8, 3), np.uint8))
    assert "wanted two folders" in adopted(physadv, tmp_path, folders[0], tmp_path / "a.npy", *options).error
