import pytest
import torch

from physadv.classifiers import Classifier, load_classifier
from physadv.defences import Measured
from physadv.evaluation.intervals import proportion
from physadv.pipeline.masking_check import MaskingCheck
from physadv.signs.stop_sign.sign_photos import drawn_sign_photos
from physadv.signs.training.harden_settings import HardenError
from reproductions.hardening.__main__ import main as study_main
from reproductions.hardening.attempts import WORST_STICKERS, Attempt
from reproductions.hardening.page import page
from reproductions.hardening.stop_signs import AIMS, preset_shares
from reproductions.hardening.study import Findings, HardeningSize, study


@pytest.mark.long
def test_shared_stickers_are_judged_on_signs_they_were_not_made_on():
    photos, classifier = drawn_sign_photos(6), load_classifier("signs")
    shares = preset_shares(classifier, photos, steps=10, draws=2)

    assert shares["clean, not called stop"].n == 6  # three held-out signs, two views each
    assert shares["optimised, not called stop"].value > shares["random, not called stop"].value
    assert shares["optimised, called speed limit 50"].n == 6
    assert preset_shares(classifier, photos, steps=10, draws=2) == shares


def test_an_attempt_counts_what_it_turned_wrong():
    pictures = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    classifier = load_classifier("signs")
    own = classifier(pictures).argmax(dim=1)

    nothing = Attempt("nothing", lambda classifier, images, labels: images)
    shuffled = Attempt("other images", lambda classifier, images, labels: images.flip(0), most=4)

    assert nothing.fooled(classifier, pictures, own).value == 0
    found = shuffled.fooled(classifier, pictures, own)
    assert found.n == 4
    assert found.value == float((own[:4].flip(0) != own[:4]).float().mean())


def findings(spec, right, fooled):
    """Findings in which every share is the same."""
    share = proportion([1] * fooled + [0] * (10 - fooled), [1] * 10)
    return Findings(
        spec=spec,
        test=Measured(right, 1000),
        victims=Measured(40, 40),
        fooled={WORST_STICKERS: share, "L2 noise, radius 1": share},
        stop_signs={f"optimised, {aim}": share for aim in AIMS},
        camera={
            "auto, lab test, random, not called stop": share,
            "auto, lab test, optimised, not called stop": share,
        },
        masking=MaskingCheck(
            classifier=spec,
            eps=4,
            attacks={"one step": share},
            iterative={1: share},
            unbounded={1: share},
            wrong_before=0,
            queries=1,
            signs=[],
            verdict="no sign",
        ),
    )


def test_page_says_what_holds():
    text = page(findings("one", 990, 8), findings("other", 970, 4))
    assert "| GTSRB test images right | 990 of 1000 (99.00 %) | 970 of 1000 (97.00 %) |" in text
    assert "- **holds**: clean accuracy: 990 of 1000 (99.00 %) before, 970 of 1000 (97.00 %) after" in text
    assert "- **holds**: auto, lab test, optimised, not called stop: 80.0 % before, 40.0 % after" in text
    assert text.count("- **holds**") == 6
    worse = page(findings("one", 990, 8), findings("other", 950, 9))
    assert "- **does not hold**: clean accuracy" in worse
    assert "- **does not hold**: L2 noise, radius 1: 80.0 % before, 90.0 % after, wanted no more" in worse
    assert worse.count("- **does not hold**") == 6


def test_study_refuses_data_and_classifiers_it_cannot_use(tmp_path, capsys):
    with pytest.raises(SystemExit):
        study_main([str(tmp_path), "--quick"])
    assert "gtsrb32.npz: no such file" in capsys.readouterr().err
    with pytest.raises(HardenError, match="other classes"):
        study(Classifier(load_classifier("signs").network, ["a"], "strange"), tmp_path, HardeningSize())
