import pytest
import torchvision.models as zoo

from physadv.classifiers.specs import timm_architectures, torchvision_models


@pytest.mark.parametrize("part", ["", "detection"])
def test_torchvisions_files_say_what_its_registry_says(part):
    found = torchvision_models(part)
    assert set(found) == set(zoo.list_models(module=getattr(zoo, part) if part else zoo))
    for name, published in found.items():
        weights = zoo.get_model_weights(name)
        assert published.names[0] == weights.DEFAULT.name
        assert set(published.names) == {each.name for each in weights}
        metrics = weights.DEFAULT.meta["_metrics"].get("ImageNet-1K", {})
        assert published.top1 == metrics.get("acc@1")


def test_timms_files_name_what_its_registry_names():
    timm = pytest.importorskip("timm")
    found = timm_architectures()
    assert set(timm.list_models()) <= found
    assert all(timm.is_model(name) for name in found)


def test_a_library_that_is_not_installed_publishes_nothing(monkeypatch):
    from physadv.classifiers import specs

    monkeypatch.setattr(specs, "find_spec", lambda name: None)
    assert specs.torchvision_models.__wrapped__() == {}
    assert specs.timm_architectures.__wrapped__() == frozenset()
