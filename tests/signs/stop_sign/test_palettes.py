import pytest
import torch

from physadv.attacks.objectives import PRINTABLE, flat_colours, nearest_colours, printing_errors
from physadv.errors import MachineError
from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.optimise import palette_colours, printable_colours
from physadv.signs.stop_sign.settings import parse_palette, read_colours


class TestParsePalette:
    def test_knows_three_kinds(self):
        assert parse_palette("free") is None
        assert parse_palette("6") == 6
        assert torch.equal(palette_colours("bw"), PRINTABLE[:2])

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("1", "a palette of 1 colour; wanted 2 to 64"),
            ("0", "a palette of 0 colours"),
            ("65", "a palette of 65 colours"),
            ("grey", "palette 'grey'; wanted free, bw or a number"),
        ],
    )
    def test_refuses_others(self, text, line):
        with pytest.raises(StopSignError, match=line):
            parse_palette(text)


class TestReadColours:
    def test_reads_both_spellings(self, tmp_path):
        (tmp_path / "vinyl.txt").write_text("#ff0000\n\n0, 51, 255\n")
        colours = printable_colours(tmp_path / "vinyl.txt")
        assert torch.allclose(colours, torch.tensor([(1.0, 0, 0), (0, 0.2, 1)]))

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("#ff0000\n", "a palette of 1 colour; wanted 2 or more"),
            ("#ff0000\nred\n", r"vinyl\.txt, line 2: 'red' is no colour"),
            ("#ff0000\n1 2 256\n", "line 2: '1 2 256' is no colour"),
            ("#ff00\n1 2 3\n", "line 1"),
        ],
    )
    def test_refuses_what_is_no_colour(self, tmp_path, text, line):
        (tmp_path / "vinyl.txt").write_text(text)
        with pytest.raises(StopSignError, match=line):
            read_colours(tmp_path / "vinyl.txt")

    def test_refuses_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(MachineError, match=r"none\.txt: No such file"):
            read_colours(tmp_path / "none.txt")


class TestColours:
    def test_nearest(self):
        picture = torch.tensor([0.4, 0.6])[None, None, None].expand(1, 3, 1, 2)
        flat = nearest_colours(picture, torch.tensor([(0.0, 0, 0), (1, 1, 1)]))
        assert flat[0, :, 0].T.tolist() == [[0, 0, 0], [1, 1, 1]]

    def test_flat_colours_of_a_picture_of_two_are_those(self):
        picture = torch.zeros(1, 3, 4, 4)
        picture[:, 0, :2] = 0.8
        colours = flat_colours(picture, torch.ones(4, 4), 2, None)
        assert sorted(colours.tolist()) == [[0, 0, 0], pytest.approx([0.8, 0, 0])]

    def test_flat_colours_are_chosen_of_those_there_are(self):
        picture = torch.zeros(1, 3, 4, 4)
        picture[:, 0, :2] = 0.8
        there = torch.tensor([(0.1, 0.1, 0.1), (0.5, 0.5, 0.5), (1.0, 0, 0)])
        assert sorted(flat_colours(picture, torch.ones(4, 4), 2, there)[:, 0].tolist()) == pytest.approx(
            [0.1, 1]
        )

    def test_errors_of_a_known_distance(self):
        picture = torch.full((1, 3, 4, 4), 0.5)
        errors = printing_errors(picture, torch.ones(4, 4), torch.tensor([(0.6, 0.6, 0.6), (0, 0, 0)]))
        assert errors["palette_error"] == pytest.approx(25.5, rel=1e-3)
        assert errors["nps_minimum"] == pytest.approx(0.1 * 3**0.5, rel=1e-2)
