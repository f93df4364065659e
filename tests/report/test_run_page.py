"""The report as a reader and a browser get it: real files in, one HTML page out."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from physadv.evaluation.destruction import (
    accuracy,
    confidence,
    destruction_clean_survives,
    destruction_rate,
    table,
)
from physadv.evaluation.intervals import proportion
from physadv.evaluation.outcomes import Judgement, PairOutcome, sharing_photos, tally
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.observing import PHOTO, UNTOUCHED, Channel
from physadv.pipeline.tallies import TallyReader
from physadv.report.gallery import PAIRS_SHOWN
from physadv.report.result_tables import RATES
from physadv.report.run_page import rate_headlines, write_report
from physadv.report.table import Table
from physadv.runs import (
    AttackRecord,
    Capture,
    ClassifierRecord,
    CropRow,
    Example,
    Manifest,
    ObservationRow,
    PhotoRow,
    Prediction,
    Printout,
    RunError,
    Selection,
)

HOSTILE = "</title><script>alert('x')</script> & \"cat\""
LABELS = (HOSTILE, "dog", "owl", "eel", "fox", "gnu", "hen")
CAT = Judgement((0, 1, 2, 3, 4), 0.9)
FAR = Judgement((1, 2, 3, 4, 5), 0.95)
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """Every start tag with its attributes, the text in sight; fails on elements closed out of order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


class Run:
    """A run of tiny pictures on disk: for each pair, what was said of it before and in each photo."""

    def __init__(self, root: Path, pairs: list[tuple[Judgement, Judgement, tuple[Judgement, ...]]]) -> None:
        self.printout, self.capture = Printout(root, "tiny"), Capture(root, "tiny")
        self.capture.crops.mkdir(parents=True)
        examples: list[Example] = []
        outcomes: list[PairOutcome] = []
        rows: list[ObservationRow] = []
        crops: list[CropRow] = []
        for number, (clean, adversarial, after) in enumerate(pairs, 1):
            pair = f"{number:04d}"
            for kind in ("clean", "adversarial"):
                examples.append(self._example(pair, kind, number))
                crops += [self._crop(f"{pair}-{kind}", photo) for photo in range(len(after))]
                seen = after if kind == "adversarial" else (CAT,) * len(after)
                rows.append(said(f"{pair}-{kind}", adversarial if kind == "adversarial" else clean))
                rows += [said(f"{pair}-{kind}", answer, f"{photo}.jpg") for photo, answer in enumerate(seen)]
            outcomes.append(PairOutcome(pair, 0, clean, adversarial, (CAT,) * len(after), after))
        photographed = max(len(after) for _, _, after in pairs)
        channel = PHOTO if photographed else Channel("blur=1")
        manifest = Manifest(
            name="tiny",
            code="ABC",
            seed=7,
            classifier=ClassifierRecord(spec="signs", classes=len(LABELS)),
            attack=AttackRecord(name="bim", eps=8, parameters={"size": 24, "steps": "ten", "samples": 4}),
            selection=Selection(images="photos", limit=None, prefiltered=False, candidates=9, labels="given"),
            versions={"physadv": "0.1.0"},
            examples=tuple(examples),
        )
        with self.capture.store() as store:
            for name in sorted({crop.photo for crop in crops}):
                store.add_file(name, [(photo(name), [crop for crop in crops if crop.photo == name])])
            store.add_observations(rows)
            tallies = TallyReader(store, manifest)
            calibration = {
                found.name: tallies.calibration(tallies.counted("signs", found))
                for found in (UNTOUCHED, channel)
            }
        self.measurement = Measurement(
            manifest=manifest,
            classifier="signs",
            labels=LABELS,
            identity="signs",
            channels={channel.name: table(tally(outcomes))},
            calibration=calibration,
            missing={channel.name: tuple(o.pair for o in outcomes if not o.adversarial_after)},
            photos=tuple(photo(f"{index}.jpg") for index in range(photographed)),
            crops=tuple(sorted(crops, key=lambda crop: (crop.photo, crop.example))),
        )

    def _example(self, pair: str, kind: str, shade: int) -> Example:
        path = self.printout.folder / kind / f"{pair}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((24, 24, 3), 5 * shade + 8 * (kind == "adversarial"), np.uint8)
        Image.fromarray(pixels).save(path)
        return Example(
            id=f"{pair}-{kind}",
            pair=pair,
            kind="clean" if kind == "clean" else "adversarial",
            path=f"{kind}/{pair}.png",
            sha256="",
            size_px=(24, 24),
            source=path.name,
            label=0,
            label_name=HOSTILE,
            digital=(Prediction(label=0, name=HOSTILE, probability=0.9),),
        )

    def _crop(self, example: str, photo: int) -> CropRow:
        path = self.capture.crops / f"{example}--{photo}.jpg.png"
        Image.fromarray(np.full((24, 24, 3), 90, np.uint8)).save(path)
        return CropRow(
            f"{photo}.jpg",
            example,
            0,
            0,
            f"crops/{path.name}",
            None,
            0.05,
            4,
            1.2,
            11.0,
            230.0,
            0.01,
            0.98,
            (),
        )

    def write(self, measurement: Measurement | None = None) -> str:
        path = write_report(self.printout, self.capture, [measurement or self.measurement])
        return path.read_text(encoding="utf-8")


def said(example: str, answer: Judgement, photo: str = "") -> ObservationRow:
    channel = PHOTO.name if photo else "none"
    return ObservationRow("ABC", "signs", channel, 0, example, photo, answer.labels, (answer.confidence,))


def photo(name: str, *, simulated: bool = True, reason: str | None = None) -> PhotoRow:
    camera = "physadv virtual phone" if simulated else "Pixel 7"
    status = "refused" if reason else "used"
    return PhotoRow(name, name, "ABC", status, reason, 400, 300, camera, simulated=simulated)


def test_an_adversarial_image_is_beside_the_clean_one_of_the_same_photo(tmp_path):
    run = Run(tmp_path, [(CAT, FAR, (CAT, FAR, CAT, FAR))])
    with run.capture.store() as store:
        rows = [said("0001-clean", answer, f"{photo}.jpg") for photo, answer in enumerate((CAT, FAR, CAT))]
        store.add_observations(rows)
        # In the last photo the clean cell could not be cut out: nothing is known of it.
        sql = "DELETE FROM observations WHERE example = '0001-clean' AND photo = '3.jpg' RETURNING 1"
        assert store.select(sql) == [(1,)]
        reader = TallyReader(store, run.measurement.manifest)
        before, after = (reader.counted("signs", channel) for channel in (UNTOUCHED, PHOTO))
        found = reader.tally(before, after)
        one = reader.tally(before, reader.counted("signs", Channel("photo", photos=("1.jpg",))))
    views = found.counts["adversarial", "after"]
    assert views.clean_right.tolist() == views.both_right.tolist() == [[2, 2]]
    assert destruction_rate(found, 1).value == 2 / 4
    rate = destruction_clean_survives(found, 1)
    assert (rate.value, rate.n, rate.pairs) == (1.0, 2, 1)
    views = one.counts["adversarial", "after"]
    assert views.clean_right.tolist() == views.both_right.tolist() == [[0, 0]]


def test_the_store_says_which_photos_show_several_pairs(tmp_path):
    """Two photos of three pairs; a film's frames are one photo."""
    run = Run(tmp_path, [(CAT, FAR, (CAT, FAR, FAR)), (CAT, FAR, (CAT, FAR, CAT)), (CAT, FAR, (CAT,))])
    with run.capture.store() as store:
        store.select("UPDATE photos SET view = '2' WHERE name = '2.jpg' RETURNING 1")
        for table_name, column in (("photos", "name"), ("crops", "photo"), ("observations", "photo")):
            sql = f"UPDATE {table_name} SET {column} = '1.jpg#2' WHERE {column} = '2.jpg' RETURNING 1"
            assert store.select(sql)
        reader = TallyReader(store, run.measurement.manifest)
        before, after = (reader.counted("signs", channel) for channel in (UNTOUCHED, PHOTO))
        found = reader.tally(before, after)
    rate = destruction_rate(found, 1)
    by_photo = proportion([1, 2, 1], [3, 3, 1], ([3, 1], [3, 4]))
    assert (rate.low, rate.high) == (by_photo.low, by_photo.high)
    assert sharing_photos([found]).tolist() == [0, 0, 0]
    # Calibration counts what the rates count.
    for kind, own in reader.calibration(after).items():
        assert own.confidence == replace(confidence(found, kind, "after"), discarded={})
        assert own.accuracy == replace(accuracy(found, kind, "after", 1), discarded={})
        assert (own.confidence.n, own.accuracy.n, own.accuracy.pairs) == (7, 7, 3)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(
        tmp_path,
        [
            (CAT, FAR, (FAR, FAR)),
            (CAT, FAR, (CAT, CAT)),
            (CAT, FAR, (FAR, CAT)),
            (FAR, FAR, (FAR, FAR)),
            (CAT, CAT, (CAT, CAT)),
            (CAT, FAR, ()),
        ],
    )


def test_page_asks_for_nothing_outside_itself(run: Run) -> None:
    html = run.write()
    page = Page(html)
    assert page.open == []
    assert not page.all("script")
    assert not page.all("link")
    assert "http" not in html
    assert "@import" not in html
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#")), (tag, name, value)


def test_hostile_label_is_text(run: Run) -> None:
    html = run.write()
    assert "<script" not in html
    page = Page(html)
    assert HOSTILE in page.text
    assert any(HOSTILE in (image["alt"] or "") for image in page.all("img"))


def test_every_picture_and_drawing_has_an_alternative(run: Run) -> None:
    page = Page(run.write())
    images = page.all("img")
    # Five pictures a pair, but for the pair that was not photographed, which has three.
    assert len(images) == 5 * 5 + 3
    assert all(image["alt"] for image in images)
    drawings = [tag for _, tag in page.tags if tag.get("role") == "img"]
    # Two destruction rates, two accuracies, and the calibration of files and of photos.
    assert len(drawings) == len(page.all("svg")) == 6
    assert all("% (" in (drawing["aria-label"] or "") for drawing in drawings)


def test_ids_are_unique_and_links_lead_to_one(run: Run) -> None:
    page = Page(run.write())
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a") + page.all("use"):
        target = link.get("href") or link.get("xlink:href")
        assert target
        assert target[1:] in ids


def test_tables_have_captions_and_headings(run: Run) -> None:
    page = Page(run.write())
    assert len(page.all("table")) == len(page.all("caption")) == 4
    scopes = [heading["scope"] for heading in page.all("th")]
    assert {"col", "colgroup", "row", "rowgroup"} == set(scopes)
    # Rates, files and photos beside them, pairs never measured, and pairs that do not count in each rate.
    assert scopes.count("row") == 4 + 2 + 1 + 4


def test_same_measurement_same_bytes(run: Run) -> None:
    assert run.write() == run.write()


def test_headline_counts_the_pairs_that_can_be_destroyed(run: Run) -> None:
    # Pairs 2 and 3 were right again in 3 of the 6 photos of the three pairs that count.
    text = Page(run.write()).text
    assert "50.0 %" in text
    assert "In 3 of 6 views of 3 adversarial images the effect was lost" in text
    assert "n = 6, 3 pairs" in text


def test_undefined_is_said_and_never_zero(tmp_path: Path) -> None:
    run = Run(tmp_path, [(FAR, FAR, (FAR,)), (CAT, CAT, (CAT,))])
    rows = run.measurement.channels[PHOTO.name]
    assert rate_headlines(rows, "were printed")[0].value == "undefined"
    shown = Table("", RATES, {"photo": rows}, "channel")
    cells = [row[2][1] for row in shown.cells(rows)]
    assert [cell.text for cell in cells] == ["undefined"] * 4
    text = Page(run.write()).text
    assert "Prefiltered case: undefined" in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ((True, True), "Simulated photographs: made by the virtual printer and phone, not by a camera."),
        ((True, False), "Mixed photographs: 1 of 2 were made by the virtual printer and phone"),
        ((False, False), "Photographs of printed sheets: 2 photos by Pixel 7."),
    ],
)
def test_notice_says_what_made_the_photos(run: Run, kinds: tuple[bool, bool], said: str) -> None:
    photos = tuple(photo(f"{index}.jpg", simulated=kind) for index, kind in enumerate(kinds))
    page = Page(run.write(replace(run.measurement, photos=photos)))
    text = re.sub(r"\s+", " ", page.text)
    assert said in text
    if not any(kinds):
        assert "simulat" not in text.lower()


def test_run_without_photos(tmp_path: Path) -> None:
    run = Run(tmp_path, [(CAT, FAR, ()), (CAT, CAT, ())])
    page = Page(run.write())
    assert "No photographs:" in page.text
    assert "simulat" not in page.text.lower()
    assert "None was photographed" in page.text
    assert len(page.all("img")) == 2 * 3


def test_what_was_discarded_is_listed_with_its_reason(run: Run) -> None:
    measurement = run.measurement
    refused = photo("beach.jpg", reason="no sheet <found>")
    hidden = replace(
        measurement.crops[0], photo="1.jpg", example="0006-clean", path=None, reason="2 marks of 4"
    )
    text = Page(
        run.write(
            replace(measurement, photos=(*measurement.photos, refused), crops=(*measurement.crops, hidden))
        )
    ).text
    for said in ("beach.jpg", "no sheet <found>", "0006-clean", "2 marks of 4", "1 of 6 pairs"):
        assert said in text
    assert "Pairs whose adversarial image was never measured" in text


def test_nothing_discarded(tmp_path: Path) -> None:
    assert "Nothing: every photo was used" in Page(Run(tmp_path, [(CAT, FAR, (FAR,))]).write()).text


def test_commands_hold_what_the_manifest_records(run: Run) -> None:
    text = Page(run.write()).text
    # Steps recorded in words are the recipe's own and no option.
    options = "--name tiny --model signs --attack bim --eps 8 --samples 4 --size 24 --seed 7"
    assert f"physadv generate photos {options}\n" in text
    assert "physadv photograph tiny --simulate\nphysadv crop tiny\n" in text


def test_missing_crop_is_named_and_the_old_report_stays(run: Run) -> None:
    before = run.write()
    gone = run.capture.crops / "0001-clean--0.jpg.png"
    gone.unlink()
    with pytest.raises(RunError, match=re.escape(gone.name)):
        run.write()
    assert run.capture.report.read_text(encoding="utf-8") == before
    assert [path.name for path in run.capture.folder.glob(".*")] == []


def test_gallery_stays_small_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    run = Run(tmp_path, [(CAT, FAR, (FAR,))] * 30 + [(CAT, FAR, (CAT,))] * 3)
    page = Page(run.write())
    assert len(page.all("img")) == 5 * PAIRS_SHOWN
    assert "24 of 33 pairs" in page.text
    assert "9 are not shown" in page.text
    assert page.text.index("Survived · 21 of 30") < page.text.index("Destroyed · 3")
