import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from physadv.attacks.patches import Placement
from physadv.classifiers import load_classifier
from physadv.classifiers.signs import HARDENED_WEIGHTS, WEIGHTS
from physadv.defences import Mixture, NoiseAttack, StickerAttack, UniversalStickers, measure
from physadv.defences.training import attacked
from physadv.signs.training.data import STOP, Signs, read_test
from physadv.signs.training.one_class import FAR, OneClass, OneClassStickers, drawn_abroad, from_afar

TENTH = StickerAttack(Placement((0.1, 0.1), 45.0))


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def test_signs_of_the_class_to_protect_are_photographed_or_drawn_unchanged_abroad():
    photos = Signs(torch.zeros(6, 3, 32, 32, dtype=torch.uint8), torch.tensor([STOP, 1, 2, 3, 4, STOP]))
    abroad = drawn_abroad("stop", 8, seed=0)
    assert abroad.labels.unique().tolist() == [STOP]

    def groups(focus, drawn, known=abroad):
        signs, draws = OneClass(photos, STOP, focus, known, drawn), random()
        return [signs(5, draws) for _ in range(40)]

    def seen(focus, drawn, known=abroad):
        assert all(len(labels.unique()) == 1 for _, labels in groups(focus, drawn, known))
        return {(int(labels[0]), bool(images.any())) for images, labels in groups(focus, drawn, known)}

    assert seen(1, 0) == {(STOP, False)}
    assert seen(1, 1) == {(STOP, True)}
    assert seen(1, 0.5) == {(STOP, False), (STOP, True)}
    assert {label for label, _ in seen(0, 1)} == {STOP, 1, 2, 3, 4}
    assert not any(drawn for _, drawn in seen(0, 1))
    assert seen(1, 1, None) == {(STOP, False)}
    assert drawn_abroad("yield", 8, seed=0) is None


def test_both_classifiers_know_the_sign_as_it_is_drawn_abroad():
    images = drawn_abroad("stop", 40, seed=1).images.float() / 255
    for spec in ("signs", "signs-hardened"):
        assert float((load_classifier(spec)(images).argmax(dim=1) == STOP).float().mean()) > 0.97


@given(st.integers(0, 2**16))
@settings(max_examples=20)
def test_signs_from_afar_are_all_of_one_size_that_training_may_meet(seed):
    pictures = torch.rand(3, 3, 32, 32, generator=random(seed), dtype=torch.float64)
    seen = from_afar(pictures, random(seed))
    assert seen.shape == pictures.shape
    # Enlarged from n rows, an image has n rows that tell it apart, however many pixels.
    (size,) = set(torch.linalg.matrix_rank(seen, atol=1e-9).flatten().tolist())
    assert FAR[0] <= size <= FAR[1]


def test_half_of_the_sets_of_shared_stickers_are_seen_from_afar():
    ranks = []

    class Looked(UniversalStickers):
        def __call__(self, network, images, labels, generator, view):
            ranks.append(int(torch.linalg.matrix_rank(view(images).double(), atol=1e-3).max()))
            return images

    checks = torch.rand(128, 3, 32, 32, generator=random())
    labels, stops = torch.arange(128) % 43, torch.full((128,), STOP)
    shared = OneClassStickers(Looked(), lambda n, _: (checks[:n], stops[:n]), sets=100)
    shared(nn.Identity(), checks, labels, random())
    assert len(ranks) == 100
    assert 35 <= sum(rank <= FAR[1] for rank in ranks) <= 65


def test_a_batch_is_part_stickers_part_noise_and_the_rest_as_it_is(signs_network, noise_signs):
    network, (pictures, labels) = signs_network, noise_signs
    before = {name: value.clone() for name, value in network.state_dict().items()}

    stop = torch.full((3, 32, 32), 0.3)
    shared = OneClassStickers(
        UniversalStickers(steps=2), lambda n, _: (stop.expand(n, -1, -1, -1), torch.full((n,), STOP))
    )
    mixture = Mixture([(TENTH, 0.25), (shared, 0.25), (NoiseAttack(2), 0.25)])
    mixed, known = attacked(network, mixture, pictures, labels, random())

    assert network.training
    network.eval()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert known.tolist() == [0, 1, STOP, STOP, 4, 5, 6, 7]
    unspoilt = torch.cat([pictures[:2], stop.expand(2, -1, -1, -1), pictures[4:]])
    furthest = (mixed - unspoilt).abs().amax(dim=(1, 2, 3))
    assert bool((furthest[:4] > 0.1).all())
    assert bool((furthest[4:6] < 2.6 / 255).all())
    assert bool((furthest[4:6] > 1 / 255).all())
    assert bool((furthest[6:] == 0).all())
    assert not mixed.requires_grad


@pytest.mark.long
def test_bundled_hardened_classifier_costs_little_and_halves_what_stickers_on_all_stop_signs_do(shared_data):
    test = read_test(shared_data)
    stops = test.images[test.labels == STOP][:16].float() / 255
    labels = torch.full((len(stops),), STOP)
    attack, every_sixth = UniversalStickers((0.2, 0.2), steps=40), Signs(test.images[::6], test.labels[::6])
    right, fooled = {}, {}
    for spec in ("signs", "signs-hardened"):
        classifier = load_classifier(spec)
        worn = [attack(classifier.network, stops, labels, random(s)) for s in range(2)]
        fooled[spec] = int((classifier(torch.cat(worn)).argmax(dim=1) != STOP).sum())
        right[spec] = measure(classifier, *every_sixth).right
    assert right["signs"] - right["signs-hardened"] <= 0.03 * len(every_sixth.labels)
    assert fooled["signs"] > 0
    assert fooled["signs-hardened"] <= fooled["signs"] / 2


def test_card_of_the_hardened_weights_is_of_that_file():
    card = HARDENED_WEIGHTS.with_suffix(".md").read_text(encoding="utf-8")
    assert f"| file size | {HARDENED_WEIGHTS.stat().st_size:,} bytes |" in card
    assert HARDENED_WEIGHTS.stat().st_size <= 2_500_000
    assert HARDENED_WEIGHTS.read_bytes() != WEIGHTS.read_bytes()
