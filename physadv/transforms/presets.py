"""EOT distributions by name, each with the source of its ranges."""

from collections.abc import Callable
from dataclasses import dataclass

from physadv.errors import unknown_name
from physadv.transforms.protocol import Transformation, TransformError, identity


@dataclass(frozen=True)
class Preset:
    """A named EOT distribution.

    Attributes:
        name: as `--transforms` takes it.
        source: the paper or measurement its ranges come from.
        build: makes the distribution.
    """

    name: str
    source: str
    build: Callable[[], Transformation]


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (Preset("identity", "no transformation, as in Kurakin et al. 2017", lambda: identity),)
}


def load_preset(name: str) -> Transformation:
    """Return the EOT distribution called `name`.

    Raises:
        TransformError: there is none; the line names the nearest.
    """
    if name not in PRESETS:
        raise TransformError(unknown_name("preset", name, PRESETS))
    return PRESETS[name].build()
