import pytest

from physadv.evaluation.intervals import Estimate
from physadv.pipeline.masking_check import MaskingCheck
from physadv.report.masking import PlotError, check_plot, write_masking_plot


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_the_same_numbers_give_the_same_file(tmp_path, suffix):
    share = Estimate(0.5, 0.2, 0.8, 8, 8)
    curve = {1: share, 5: share}
    attacks = {"one step": share, "noise": share}
    check = MaskingCheck("tiny", 16, attacks, curve, curve, curve, 0, 0, 0.03, (), "none")
    for name in "ab":
        write_masking_plot(tmp_path / f"{name}{suffix}", check)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    check_plot(tmp_path / f"curve{suffix}")


def test_a_plot_of_no_known_format_is_one_line(tmp_path):
    with pytest.raises(PlotError, match=r"curve\.bmp: wanted a name that ends in \.pdf, \.png, \.svg"):
        check_plot(tmp_path / "curve.bmp")
