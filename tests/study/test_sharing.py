"""Answers on clean files, copied from one run to another, are those that asking would have brought."""

import json

import pytest

from physadv.pipeline import observing
from physadv.pipeline.generate import generate
from physadv.pipeline.measure import measure
from physadv.pipeline.settings import GenerateSettings
from physadv.runs import Capture, Printout
from physadv.study.sharing import share_clean_answers

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


def rows(capture):
    with capture.store() as store:
        found = store.select("SELECT * FROM observations ORDER BY channel, example")
    # A batch of another size may move the last of the six decimals kept.
    return [(*row[:-1], pytest.approx(json.loads(row[-1]), abs=2e-6)) for row in found]


def plain(capture):
    with capture.store() as store:
        found = store.select("SELECT * FROM observations ORDER BY channel, example")
    return [(*row[:-1], json.loads(row[-1])) for row in found]


def test_shared_answers_are_those_of_asking(both, asked, tmp_path):
    (one, one_said), (two, two_said) = both
    apart = Capture(tmp_path / "apart", "two")
    alone = measure(two, apart, **ASKED)
    assert sum(asked) == 4 * 10
    asked.clear()
    share_clean_answers(one, one_said, two, two_said)
    assert measure(two, two_said, **ASKED) == alone
    assert sum(asked) == 4 * 5
    assert plain(two_said) == rows(apart)


def test_only_files_of_the_same_bytes_are_shared(both, tmp_path, signs_csv):
    one, one_said = both[0]
    smaller, said = Printout(tmp_path, "smaller"), Capture(tmp_path, "smaller")
    generate(smaller, GenerateSettings(images=signs_csv, attack="fast", size=32))
    share_clean_answers(one, one_said, smaller, said)
    assert plain(said) == []
