"""Answers on clean files, copied from one run to another, are those that asking would have brought."""

import pytest

from physadv.pipeline import observing
from physadv.pipeline.generate import generate
from physadv.pipeline.measure import measure
from physadv.pipeline.settings import GenerateSettings
from physadv.runs import Capture, Printout
from physadv.study.steps import share_clean_answers

ASKED = {"transforms": ["noise=20"], "sweeps": ["jpeg=20:60:2"]}


@pytest.fixture
def both(tmp_path, signs_csv):
    """Two runs of the same pictures; the first is measured."""
    runs = [(Printout(tmp_path, name), Capture(tmp_path, name)) for name in ("one", "two")]
    for (printout, _), eps in zip(runs, (16, 8), strict=True):
        generate(printout, GenerateSettings(images=signs_csv, attack="fast", eps=eps))
    measure(*runs[0], **ASKED)
    return runs


@pytest.fixture
def asked(monkeypatch):
    """How many pictures a classifier has been asked about, counted at the store's door."""
    counted = []
    judged = observing.Observer._judged
    monkeypatch.setattr(
        observing.Observer,
        "_judged",
        lambda self, classifier, channel, names, images: (
            counted.append(len(names)) or judged(self, classifier, channel, names, images)
        ),
    )
    return counted


def answers(capture, run):
    """Everything kept of a run's files: what was asked, and the probabilities to the last decimal but one."""
    with capture.store() as store:
        found = {
            (channel, row.example, row.labels): row.probabilities
            for classifier, channel, seed in sorted(store.digital_channels(run.manifest().code))
            for row in store.observations(run.manifest().code, classifier, channel, seed)
        }
    return {key: pytest.approx(probabilities, abs=2e-6) for key, probabilities in found.items()}, found


def test_shared_answers_are_those_of_asking(both, asked, tmp_path):
    _, (two, capture) = both
    apart = Capture(tmp_path / "apart", "two")
    alone = measure(two, apart, **ASKED)
    assert sum(asked) == 4 * 10
    asked.clear()
    share_clean_answers(tmp_path, "one", "two")
    assert measure(two, capture, **ASKED) == alone
    assert sum(asked) == 4 * 5
    expected, _ = answers(apart, two)
    _, found = answers(capture, two)
    assert len(found) == 4 * 10
    assert found == expected


def test_only_files_of_the_same_bytes_are_shared(both, tmp_path, signs_csv):
    smaller, capture = Printout(tmp_path, "smaller"), Capture(tmp_path, "smaller")
    generate(smaller, GenerateSettings(images=signs_csv, attack="fast", size=32))
    share_clean_answers(tmp_path, "one", "smaller")
    _, found = answers(capture, smaller)
    assert found == {}
