import json
import os
import shutil
import subprocess
import sys

import pytest
import typer

from physadv.cli import app

LOOP = ("demo", "generate", "print", "photograph", "crop", "destruction-rate", "report")
COMMANDS = tuple(typer.main.get_command(app).commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_of_the_command(physadv, command):
    answer = physadv(command, "--help")
    assert answer.code == 0
    assert f"Example: physadv {command}" in answer.out


def test_every_command_is_known():
    assert {*LOOP, "plan", "masking-check", "run", "export", "list"} < set(COMMANDS)


def test_nothing_asked_is_answered_with_the_commands(physadv):
    answer = physadv()
    assert answer.code == 0
    assert all(command in answer.out for command in COMMANDS)
    assert answer.err == ""


def test_help_comes_without_loading_torch():
    code = (
        "import sys\n"
        "from physadv.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    print({'torch', 'torchvision', 'numpy', 'PIL'} & set(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert "destruction-rate" in done.stdout
    assert done.stderr == "set()\n"


@pytest.mark.parametrize(
    ("what", "some"),
    [
        ("models", ["signs", "file:PATH", "torchvision/resnet50", "timm/NAME"]),
        ("attacks", ["fast", "bim", "least-likely", "pgd", "Kurakin et al. 2017, arXiv:1607.02533"]),
        ("transforms", ["brightness=NUMBER", "contrast=", "blur=", "noise=", "jpeg=", "-255 to 255"]),
        ("transforms", ["viewpoint=yaw:NUMBER", "imagenet-c/fog=", "1 to 5"]),
        ("sweeps", ["kurakin", "viewpoint=yaw:-60:60:9,distance:1:6:6", "corruptions", "all"]),
        ("presets", ["identity"]),
        ("phones", ["office", "hand-held", "window", "night", "hostile"]),
        (
            "printers",
            ["office-laser", "assumed", "offset-coated", "offset-uncoated-bpc", "measured", "FOGRA47L"],
        ),
    ],
)
def test_lists_are_whole_where_no_terminal_limits_them(physadv, what, some):
    answer = physadv("list", what)
    assert answer.code == 0
    assert all(text in answer.out for text in some)
    assert "…" not in answer.out
    assert answer.err == ""


def test_every_attack_is_listed_with_its_budget(physadv):
    rows = {line.split()[0]: line for line in physadv("list", "attacks").out.splitlines() if line.strip()}
    assert rows["bim"].split()[1:4] == ["L∞", "eps", "16"]
    assert rows["pgd-l2"].split()[1:4] == ["L2", "eps", "765"]
    for attack in ("cw-l2", "lbfgs", "deepfool", "jsma", "eot-lagrangian", "rp2"):
        assert "no eps" in rows[attack]
    assert "area 0.1, no eps" in rows["patch"]
    assert "foolbox:CLASS" in rows
    assert "torchattacks:CLASS" in rows


@pytest.mark.filterwarnings("default::physadv.errors.PhysadvWarning")
def test_a_warning_is_one_line_on_standard_error(physadv, tmp_path, monkeypatch, signs_folder):
    (tmp_path / "probable.py").write_text(
        "from torch import nn\n"
        "def network():\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Softmax(dim=1))\n"
    )
    monkeypatch.chdir(tmp_path)
    arguments = ["--name", "a", "--model", "python:probable:network", "--attack", "fast", "--quiet"]
    answer = physadv("generate", signs_folder, *arguments)
    assert answer.code == 0
    assert answer.err.splitlines() == [
        "warning: model 'python:probable:network' returns probabilities, not logits: "
        "gradients vanish where it is sure"
    ]


def test_version_is_the_package_s(physadv):
    from physadv import __version__

    assert physadv("--version").out == f"physadv {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["list", "modles"], ["modles", "models"]),
        (["genrate"], ["genrate"]),
        (["generate"], ["images"]),
        (["generate", "x"], ["--name"]),
        (["generate", "x", "--nam", "a"], ["--nam", "--name"]),
        (["crop", "mine", "--workers", "0"], ["--workers"]),
    ],
)
def test_misspelt_commands_and_options_are_named(physadv, arguments, named):
    error = physadv(*arguments).error
    assert all(name in error for name in named)


@pytest.mark.parametrize("eps", ["0", "-1", "256", "1e9", "sixteen", "4.5", "nan"])
def test_eps_is_a_whole_number_from_1_to_255(physadv, tmp_path, signs_csv, eps):
    answer = physadv("generate", signs_csv, "--name", "a", "--eps", eps, "--root", tmp_path)
    assert "eps" in answer.error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["size", "batch", "samples", "limit", "steps"])
def test_counts_below_their_least_are_refused_by_name(physadv, tmp_path, signs_csv, option):
    answer = physadv("generate", signs_csv, "--name", "a", f"--{option}", 0, "--root", tmp_path)
    assert f"{option} 0" in answer.error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "given", "nearest"),
    [
        ("model", "sings", "signs"),
        ("model", "torchvision/resnet51", "resnet50"),
        ("attack", "bmi", "bim"),
        ("attack", "least_likely", "least-likely"),
        ("transforms", "identiy", "identity"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(physadv, tmp_path, signs_csv, option, given, nearest):
    answer = physadv("generate", signs_csv, "--name", "a", f"--{option}", given, "--root", tmp_path)
    assert given.rpartition("/")[2] in answer.error
    assert nearest in answer.error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("blurr=1", "nearest: blur"),
        ("blur", "blur=NUMBER"),
        ("blur=", "blur=NUMBER"),
        ("blur=soft", "'soft' is no number"),
        ("blur=nan", "is not finite"),
        ("jpeg=101", "1 to 100"),
        ("jpeg=50.5", "not whole"),
    ],
)
@pytest.mark.parametrize("command", ["destruction-rate", "report"])
def test_a_transform_is_a_known_name_and_a_number_in_range(physadv, generated_root, command, given, named):
    answer = physadv(command, "mine", "--transform", given, "--root", generated_root)
    assert named in answer.error
    assert not (generated_root / "captures").exists()


@pytest.mark.parametrize(
    ("given", "named"),
    [("kurakn", "nearest: kurakin"), ("blur=0:4", "2 parts"), ("viewpoint=jaw:1:2:3", "nearest: yaw")],
)
def test_a_bad_sweep_is_said_before_anything_is_read(physadv, generated_root, given, named):
    assert named in physadv("destruction-rate", "mine", "--sweep", given, "--root", generated_root).error
    assert not (generated_root / "captures").exists()


def test_a_plan_says_how_many_pairs_to_print(physadv):
    answer = physadv("plan", "--rate", 0.1, "--halfwidth", 0.05, "--qualifying", 0.8)
    assert "241 pairs that count" in answer.out
    assert "5.8–15.8 %" in answer.out
    assert "print 302 pairs, 604 pictures" in answer.out
    assert "twice the pairs buys most: ± 3.4 points in place of 5.0; " in answer.out
    asked = ("plan", "--rate", 0.1, "--halfwidth", 0.05, "--icc-photo", 0, "--json")
    given = json.loads(physadv(*asked).out)
    assert given["counted"] == given["printed"] == 203
    assert [choice["taken"] for choice in given["choices"]] == [26, 51, 52, 52]
    assert "halfwidth 0" in physadv("plan", "--rate", 0.1, "--halfwidth", 0).error
    assert "--halfwidth or --pairs" in physadv("plan", "--rate", 0.1).error
    assert "wanted --rate, or --run" in physadv("plan", "--pairs", 9).error


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/etc", "a..b", "-a", "a\n", "ä", "a" * 101])
def test_a_run_name_cannot_leave_its_folder(physadv, tmp_path, signs_csv, name):
    for arguments in (
        ["generate", signs_csv, f"--name={name}"],
        *([command, "--", name] for command in (*LOOP[2:], "export")),
    ):
        assert "run name" in physadv(*arguments[:1], "--root", tmp_path, *arguments[1:]).error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["print", "photograph", "crop", "destruction-rate", "export", "report"])
def test_a_run_that_was_never_generated_is_said_to_be_missing(physadv, tmp_path, command):
    error = physadv(command, "nosuch", "--root", tmp_path).error
    assert str(tmp_path / "printouts" / "nosuch" / "manifest.json") in error
    assert "physadv generate" in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["photograph"], ["photograph", "--simulate"], ["crop"]])
def test_what_needs_sheets_says_to_print_first(physadv, generated_root, contents, arguments):
    before = contents(generated_root)
    error = physadv(*arguments, "mine", "--root", generated_root).error
    assert "sheets.pdf" in error
    assert "physadv print mine" in error
    assert contents(generated_root) == before


def test_crop_without_photos_says_where_they_belong(physadv, printed_root, copy_of):
    root = copy_of(printed_root)
    error = physadv("crop", "mine", "--root", root).error
    assert str(root / "captures" / "mine" / "photos") in error
    assert "physadv photograph mine" in error


@pytest.mark.parametrize("command", ["destruction-rate", "report"])
def test_without_crops_and_transforms_there_is_nothing_to_measure(physadv, printed_root, copy_of, command):
    root = copy_of(printed_root)
    error = physadv(command, "mine", "--root", root).error
    assert "physadv crop" in error
    assert "--transform" in error
    assert not (root / "captures" / "mine" / "report.html").exists()


def test_an_unknown_page_is_answered_with_the_known(physadv, generated_root, contents):
    before = contents(generated_root)
    error = physadv("print", "mine", "--page", "a5", "--root", generated_root).error
    assert "unknown page 'a5'; nearest: a4, a3" in error
    assert contents(generated_root) == before


def test_a_root_that_is_a_file_is_named(physadv, tmp_path, signs_csv):
    root = tmp_path / "file"
    root.write_text("kept")
    error = physadv("generate", signs_csv, "--name", "a", "--quiet", "--root", root).error
    assert str(root) in error
    assert root.read_text() == "kept"


def test_debug_shows_the_cause_of_an_error(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "physadv", "--debug", "print", "mine", "--root", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "RunError" in done.stderr


def test_a_reader_that_has_had_enough_is_no_error():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "physadv", "generate", "--help"],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode == 1


def test_the_loop_by_its_commands_ends_in_a_table_and_a_report(physadv, cropped_root, copy_of):
    root = copy_of(cropped_root)
    table = physadv("destruction-rate", "mine", "--transform", "blur=1", "--root", root)
    assert table.code == 0
    assert "photo (simulated)" in table.out
    assert "blur=1" in table.out
    assert "…" not in table.out
    report = physadv("report", "mine", "--transform", "blur=1", "--quiet", "--root", root)
    assert report.code == 0
    assert report.err == ""
    assert report.out == f"report: {root / 'captures' / 'mine' / 'report.html'}\n"
    assert (root / "captures" / "mine" / "report.html").stat().st_size > 10_000


def test_json_is_one_object_and_nothing_else(physadv, cropped_root, copy_of):
    root = copy_of(cropped_root)
    answer = physadv("destruction-rate", "mine", "--json", "--transform", "noise=20", "--root", root)
    assert answer.code == 0
    assert answer.err == ""
    assert len(answer.out.splitlines()) == 1
    measured = json.loads(answer.out)
    assert (measured["run"], measured["attack"], measured["eps"]) == ("mine", "bim", 16)
    assert list(measured["channels"]) == ["photo", "noise=20"]
    assert measured["pairs"] == 5
    assert measured["simulated_photos"]


def test_progress_is_plain_lines_on_standard_error_and_none_when_quiet(
    physadv, photographed_root, copy_of, tmp_path
):
    root = copy_of(photographed_root)
    answer = physadv("crop", "mine", "--workers", 1, "--root", root)
    assert answer.code == 0
    assert "photos cropped: 1 of 1" in answer.err
    assert "10 of 10 cells cropped from 1 of 1 photos" in answer.out
    shutil.rmtree(root / "captures" / "mine" / "crops")
    quiet = physadv("crop", "mine", "--workers", 1, "--quiet", "--root", root)
    assert quiet.err == ""
    assert quiet.out == answer.out
