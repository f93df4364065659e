"""Clean images are the same files in every run of one study: what was said of them once is said for all."""

from dataclasses import replace

from physadv.runs import Capture, Printout


def share_clean_answers(
    other: Printout, other_capture: Capture, printout: Printout, capture: Capture
) -> None:
    """Copy every classifier's answers on another run's clean files, digitally transformed, to a run.

    Only where both runs have the same bytes under the same name: answers depend on these and on the seed, and
    random transformations draw from a stream of the example's name.

    Raises:
        RunError: a run or its store cannot be read.
    """
    theirs, own = other.manifest(), printout.manifest()
    hashes = {example.id: example.sha256 for example in theirs.examples if example.kind == "clean"}
    same = {example.id for example in own.examples if hashes.get(example.id) == example.sha256}
    with other_capture.store() as source, capture.store() as target:
        known = "SELECT DISTINCT classifier, channel, seed FROM observations WHERE run = ? AND photo = ''"
        for classifier, channel, seed in source.select(known, (theirs.code,)):
            if target.count(own.code, classifier, channel, seed) >= len(own.examples):
                continue
            answers = source.observations(theirs.code, classifier, channel, seed)
            target.add_observations(
                [replace(row, run=own.code) for row in answers if row.example in same and not row.photo]
            )
