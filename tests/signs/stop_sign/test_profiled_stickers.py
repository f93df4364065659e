"""Stickers in the colours of a measured printer and phone: made with them, seen with them."""

import pytest
import torch
from made_profile import made_profile

from physadv.attacks.lit_stickers import PAPER
from physadv.profiles import ProfileError, write_profile
from physadv.runs import Printout
from physadv.signs.stop_sign.make import make_stickers
from physadv.signs.stop_sign.optimise import as_photographed
from physadv.signs.stop_sign.settings import StopSignSettings
from physadv.transforms.colours import srgb_to_linear


@pytest.fixture
def profile(tmp_path):
    write_profile(tmp_path / "made.json", made_profile())
    return tmp_path / "made.json"


def test_white_paper_stays_the_paper_of_signs_and_colours_are_the_profiles(profile):
    seen = as_photographed(profile)
    shown = seen(torch.tensor([[1.0, 1, 1], [1, 0, 0]]).reshape(2, 3, 1, 1))
    assert srgb_to_linear(shown)[0].flatten().tolist() == pytest.approx([PAPER] * 3, abs=1e-3)
    # The profile swaps red and blue, and shows neither black nor full ink.
    red, green, blue = shown[1].flatten().tolist()
    assert blue > 0.8 > 0.2 > red == pytest.approx(green, abs=1e-6)
    assert red > 0
    assert as_photographed(None) is None


def test_stickers_of_a_profile_are_others_and_their_record_says_of_which(profile, tmp_path):
    small = {"drawn": 4, "target": "speed limit 30", "mask": "two-bars", "steps": 1, "batch": 2}
    plain = make_stickers(Printout(tmp_path, "plain"), StopSignSettings(**small))
    made = make_stickers(Printout(tmp_path, "made"), StopSignSettings(**small, profile=profile))
    assert plain.seen is None
    assert made.seen is not None
    assert "profile" not in plain.record["asked"]
    assert made.record["asked"]["profile_checksum"] == made_profile().checksum
    assert not torch.equal(plain.stickers, made.stickers)
    again = make_stickers(Printout(tmp_path, "made"), StopSignSettings(**small, profile=profile))
    assert torch.equal(again.stickers, made.stickers)


def test_an_edited_profile_is_refused_before_a_model_is_loaded(physadv, profile, tmp_path):
    profile.write_text(profile.read_text().replace('"sigma_px": 1.2', '"sigma_px": 0.6'))
    with pytest.raises(ProfileError, match="changed since it was measured"):
        StopSignSettings(profile=profile)
    answer = physadv("stop-sign", "--demo", "--profile", profile, "--root", tmp_path)
    assert "made.json: changed since it was measured" in answer.error
