import pytest
import torch

from physadv.transforms import (
    Deformation,
    Optics,
    Photometry,
    Press,
    Range,
    TransformError,
    Warp,
    compose,
    in_linear_light,
    load_preset,
)
from physadv.transforms.protocol import LinearLight

GOOD = """
[[transform]]
kind = "warp"
rotation = [-22.5, 22.5]
scale = { low = 0.5, high = 2, spacing = "log" }
in_bounds = true
background = [0.1, 0.2, 0.3]
deformation = { bend = [-10, 10], knots = 5 }

[[transform]]
kind = "press"
light = "linear"
printers = "offset-coated"

[[transform]]
kind = "optics"
light = "linear"
sigma = [0, 1]

[[transform]]
kind = "photometry"
gamma = { low = 1, high = 2, spacing = "reciprocal" }
"""


def written(folder, text):
    file = folder / "my.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_file_composes_what_code_would(tmp_path):
    composed = load_preset(written(tmp_path, GOOD))

    by_hand = compose(
        Warp(
            rotation=Range(-22.5, 22.5),
            scale=Range(0.5, 2, "log"),
            in_bounds=True,
            deformation=Deformation(bend=Range(-10, 10), knots=5),
        ),
        in_linear_light(Press(("offset-coated",)), Optics(sigma=Range(0, 1))),
        Photometry(gamma=Range(1, 2, "reciprocal")),
    )
    assert composed == by_hand
    assert isinstance(composed.parts[1], LinearLight)
    assert composed.parts[0].background == (0.1, 0.2, 0.3)
    images = torch.rand(2, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    assert composed.apply(images, composed.sample(2, torch.Generator().manual_seed(0))).shape == images.shape


def table(body: str) -> str:
    return f"[[transform]]\n{body}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "no transform; wanted at least one [[transform]] table"),
        ("transform = []", "no transform; wanted at least one"),
        ("[[transform]", "my.toml: "),
        ('name = "x"', "unknown key 'name'; nearest: base"),
        (table("scale = 1"), "transform 1: no kind; wanted one of identity, jpeg"),
        (table('kind = "wrap"'), "transform 1: unknown kind 'wrap'; nearest: warp"),
        (
            table('kind = "sensor"') + table('kind = "warp"\nscal = 1'),
            "transform 2 (warp): unknown key 'scal'; nearest: scale",
        ),
        (table('kind = "warp"\nscale = [2, 1]'), "transform 1 (warp), scale: range 2 to 1 is empty"),
        (table('kind = "warp"\nscale = 0'), "transform 1 (warp): scale 0 to 0; wanted above 0"),
        (
            table('kind = "warp"\nscale = "big"'),
            "transform 1 (warp), scale: 'big'; wanted a number, [low, high]",
        ),
        (table('kind = "warp"\nscale = true'), "scale: True; wanted a number"),
        (table('kind = "warp"\nscale = { low = 1 }'), "scale: {'low': 1}; wanted a number"),
        (
            table('kind = "warp"\nscale = { low = 1, high = 2, spacing = "x" }'),
            "scale: spacing 'x'; wanted one of",
        ),
        (table('kind = "warp"\nin_bounds = 1'), "in_bounds: 1; wanted true or false"),
        (table('kind = "warp"\nbackground = ["a"]'), "transform 1 (warp): background ('a',); wanted edge"),
        (table('kind = "warp"\ndeformation = 3'), "deformation: 3; wanted a table"),
        (
            table('kind = "warp"\ndeformation = { bend = 90 }'),
            "(warp), deformation: bend 90 to 90; wanted at most 60",
        ),
        (table('kind = "optics"\nsigma = -1'), "transform 1 (optics): sigma -1 to -1; wanted at least 0"),
        (
            table('kind = "optics"\nlight = "gamma"'),
            "transform 1 (optics), light: 'gamma'; wanted srgb or linear",
        ),
        (table('kind = "jpeg"'), "transform 1 (jpeg): no quality; it has no default"),
        (table('kind = "rounding"\nbits = 7'), "transform 1 (rounding): takes no bits"),
        ("[transform]\nkind = 3", "no transform; wanted at least one [[transform]] table"),
        ("transform = [1]", "transform 1: 1; wanted a table"),
        (table("kind = [1]"), "transform 1: unknown kind '[1]'"),
    ],
)
def test_every_fault_is_one_line_that_names_the_file(tmp_path, text, line):
    file = written(tmp_path, text)

    with pytest.raises(TransformError) as caught:
        load_preset(file)

    assert str(caught.value).startswith(f"{file}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(TransformError, match=r"none\.toml: No such file"):
        load_preset(str(tmp_path / "none.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TransformError, match=r"binary\.toml: not a TOML file in UTF-8"):
        load_preset(str(tmp_path / "binary.toml"))
