"""How channels are sorted into curves, heat maps and single ones."""

import pytest

from physadv.report.channels import sort_channels
from physadv.transforms import TransformError, parse_sweep


def test_three_strengths_make_a_curve_and_two_do_not():
    found = sort_channels(["photo", "blur=3", "blur=1", "blur=2", "noise=5", "noise=10"])
    assert found.single == ("photo", "noise=5", "noise=10")
    (blur,) = found.sweeps
    assert (blur.name, blur.unit) == ("blur", "gaussian sigma in pixels")
    assert list(blur.channels.items()) == [(1, "blur=1"), (2, "blur=2"), (3, "blur=3")]


def test_one_axis_of_the_viewpoint_is_a_curve():
    found = sort_channels(map(str, parse_sweep("viewpoint=yaw:-60:60:5")))
    assert found.single == ()
    (yaw,) = found.sweeps
    assert (yaw.name, yaw.unit) == ("viewpoint, yaw", "degrees")
    assert list(yaw.channels) == [-60, -30, 0, 30, 60]


def test_two_axes_are_a_grid_and_a_third_gives_one_each():
    (grid,) = sort_channels(map(str, parse_sweep("viewpoint"))).viewpoints
    assert grid.rows == ("distance", (1, 2, 3, 4, 5, 6))
    assert grid.columns[0] == "yaw"
    assert len(grid.channels) == 9 * 6
    assert grid.channels[2, -60] == "viewpoint=yaw:-60,distance:2"
    three = sort_channels(map(str, parse_sweep("viewpoint=yaw:-10:10:3,distance:2:3:2,roll:0:90:2")))
    assert [each.name for each in three.viewpoints] == ["viewpoint, roll 0", "viewpoint, roll 90"]
    assert all(len(each.channels) == 6 for each in three.viewpoints)


def test_every_channel_is_somewhere():
    asked = ["photo", "jpeg=50", *map(str, parse_sweep("kurakin")), *map(str, parse_sweep("viewpoint"))]
    found = sort_channels(asked)
    drawn = [*found.single]
    for group in (*found.sweeps, *found.viewpoints):
        drawn += group.channels.values()
    assert sorted(drawn) == sorted(set(asked))


def test_a_channel_that_is_none_is_refused():
    with pytest.raises(TransformError, match="unknown transform 'fog'"):
        sort_channels(["fog=1"])
