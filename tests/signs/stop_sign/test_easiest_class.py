import torch
from torch import nn

from physadv.classifiers import Classifier
from physadv.signs.stop_sign import optimise
from physadv.signs.stop_sign.settings import StopSignSettings
from physadv.signs.stop_sign.sign_photos import drawn_sign_photos
from physadv.signs.stop_sign.views import Judge

STOP, FAR, NEAR = 0, 1, 2


class Colours(nn.Module):
    """Logits of the mean colour: blue paint soon makes a sign near, green paint only slowly makes it far."""

    def forward(self, images):
        _, green, blue = images.mean(dim=(2, 3)).unbind(dim=1)
        return torch.stack([torch.full_like(green, 3.0), 0.1 * green, 40 * blue - 37], dim=1)


def test_without_a_target_stickers_aim_at_the_class_that_hurts_most(monkeypatch):
    judge = Judge(Classifier(Colours(), ["stop", "far", "near"], "colours"), STOP)
    photos = drawn_sign_photos(4)
    assert optimise._nearest_classes(judge, photos) == [NEAR, FAR]

    def settings(steps):
        return StopSignSettings(mask="poster", steps=steps, batch=4, transforms="identity")

    assert optimise.easiest_class(judge, photos, settings(15)) is None
    tried = []

    def stickers(aimed, *given):
        tried.append(aimed.target)
        face = torch.zeros(1, 3, optimise.FACE_SIDE, optimise.FACE_SIDE)
        face[:, 2] = float(aimed.target == NEAR)
        return face

    monkeypatch.setattr(optimise, "optimise_stickers", stickers)
    assert optimise.easiest_class(judge, photos, settings(16)) == NEAR
    assert tried == [None, NEAR, FAR]
