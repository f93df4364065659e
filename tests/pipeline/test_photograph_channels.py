"""A run through the three named channels: each apart, and the destruction rate as a band."""

from types import SimpleNamespace

from physadv.evaluation.intervals import proportion
from physadv.phone.presets import CHANNELS
from physadv.pipeline import photograph
from physadv.report.reading import band_readings


def test_every_channel_is_photographed_by_its_preset_phone_and_printer(monkeypatch):
    taken = []
    monkeypatch.setattr(photograph, "photograph_simulated", lambda *run, **how: taken.append(how) or [how])
    assert len(photograph.photograph_channels("printout", "capture", shots=1, seed=4)) == 3
    named = [(how["preset"], how["phone"], how["printer"]) for how in taken]
    assert named == list(CHANNELS.values())
    assert all((how["shots"], how["seed"]) == (1, 4) for how in taken)


def rows(lost):
    rate = proportion([k < lost for k in range(10)], [1] * 10)
    return [SimpleNamespace(case="average", top=1, destruction_rate=rate)]


def test_photos_taken_in_several_ways_give_a_band_and_not_one_number():
    channels = {"photo: mild": rows(1), "photo: harsh": rows(6), "jpeg=50": rows(9)}
    (said,) = band_readings(SimpleNamespace(channels=channels))
    assert "10.0 to 60.0 %: mild 10.0 % (0.3–44.5), harsh 60.0 % (" in said
    assert not list(band_readings(SimpleNamespace(channels={"photo": rows(1)})))
