"""Attack a run's images batch by batch; a batch's files are written before its record."""

from collections.abc import Sequence

from pydantic import BaseModel, TypeAdapter

from physadv.classifiers import Classifier
from physadv.evaluation.outcomes import Judgement, is_prefiltered
from physadv.files import replacing
from physadv.pipeline.attack_batch import attack_batch
from physadv.pipeline.checkpoints import Checkpoint
from physadv.pipeline.examples import JudgedPair, write_pair
from physadv.pipeline.settings import GenerateSettings
from physadv.pipeline.sources import CheckedSource, batches_of_one_size, read_source
from physadv.progress import Reporter
from physadv.runs import Example, Prediction, Printout


class BatchRecord(BaseModel):
    """What one finished batch added to the run.

    Attributes:
        candidates: images that were considered, up to the last pair that there was room for.
        attacked: images that were attacked.
        queries: queries of a black-box attack.
        examples: the examples written.
    """

    candidates: int
    attacked: int
    queries: int
    examples: tuple[Example, ...]


def run_batches(
    printout: Printout,
    settings: GenerateSettings,
    classifier: Classifier,
    checked: Sequence[CheckedSource],
    reporter: Reporter,
) -> list[BatchRecord]:
    """Attack the batches that no earlier start of the run has finished, and return the records of all."""
    batches = list(batches_of_one_size(checked, settings.batch))
    records: list[BatchRecord] = []
    kept = 0
    for index, batch in enumerate(reporter.track(batches, len(batches), f"{settings.attack}, batches")):
        room = settings.limit - kept if settings.limit else len(batch)
        if room <= 0:
            break
        path = printout.progress / f"{index:06d}.json"
        if path.exists():
            record = TypeAdapter(BatchRecord).validate_json(path.read_text())
        else:
            record = _make_batch(printout, settings, classifier, batch, index, kept, room)
            with replacing(path) as temporary:
                temporary.write_text(record.model_dump_json())
            path.with_suffix(".pt").unlink(missing_ok=True)
        records.append(record)
        kept += len(record.examples) // 2
    return records


def _make_batch(
    printout: Printout,
    settings: GenerateSettings,
    classifier: Classifier,
    batch: Sequence[CheckedSource],
    index: int,
    first: int,
    room: int,
) -> BatchRecord:
    pixels = [read_source(item.source.path, settings.size) for item in batch]
    checkpoint = Checkpoint(printout.progress / f"{index:06d}.pt", settings.checkpoint)
    labels = [item.source.label for item in batch]
    attacked = attack_batch(settings, classifier, pixels, labels, index, checkpoint)
    examples: list[Example] = []
    for position, item in enumerate(batch):
        pair = JudgedPair(
            clean=pixels[position],
            adversarial=attacked.pixels[position],
            source=item.source.name,
            label=attacked.labels[position],
            target=attacked.targets[position],
            clean_top=attacked.before[position],
            adversarial_top=attacked.after[position],
            held_out=attacked.held_out[position],
        )
        if settings.prefilter and not is_prefiltered(
            pair.label, _judgement(pair.clean_top), _judgement(pair.adversarial_top)
        ):
            continue
        examples += write_pair(printout, first + len(examples) // 2 + 1, pair, classifier.labels)
        if len(examples) == 2 * room:
            break
    return BatchRecord(
        candidates=position + 1, attacked=len(batch), queries=attacked.queries, examples=tuple(examples)
    )


def _judgement(top: Sequence[Prediction]) -> Judgement:
    return Judgement(tuple(prediction.label for prediction in top), top[0].probability)
