"""The settings of `generate` and `masking-check`, declared once for Python, the command line and studies.

The text of a field is the help of its command-line option. Nothing here needs torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typing_extensions import Doc

from physadv.errors import PhysadvError
from physadv.evaluation.comparisons import SMALLEST

if TYPE_CHECKING:
    from physadv.attacks.recipes import Recipe
    from physadv.profiles import Profile
    from physadv.transforms import Transformation

Images = Annotated[Path, Doc("Folder, CSV (path,label) or tree with one folder a class.")]
Model = Annotated[str, Doc("Classifier; see 'physadv list models'; file: and python: run code.")]
ClassNames = Annotated[Path | None, Doc("Text file of class names, one a line.")]
Size = Annotated[int, Doc("Reduce images to this many pixels a side.")]
Batch = Annotated[int, Doc("Images attacked at once.")]
Device = Annotated[str, Doc("Device of the classifier: auto, cpu, cuda or mps.")]
Seed = Annotated[int, Doc("Seed of everything random.")]
MeasuredProfile = Annotated[
    Path | None, Doc("Measured printer and phone, a file of 'physadv calibrate fit', in place of a preset.")
]

NO_TARGET, LEAST_LIKELY, RANDOM = "none", "least-likely", "random"
NO_TRANSFORMS = "identity"


class SettingsError(PhysadvError):
    """A setting is out of its range, or needs another one."""


@dataclass(frozen=True)
class GenerateSettings:
    """What a run is made of; the same settings on the same files make the same bytes."""

    images: Images
    model: Model = "signs"
    labels: ClassNames = None
    attack: Annotated[
        str,
        Doc(
            "Attack, foolbox:CLASS, torchattacks:CLASS or python:module:function; see 'physadv list attacks'."
        ),
    ] = "bim"
    eps: Annotated[int | None, Doc("Budget in 8-bit levels; the attack's own by default.")] = None
    area: Annotated[
        float | None, Doc("Share of the picture that a patch covers, 0 to 1; the attack's own by default.")
    ] = None
    transforms: Annotated[str | None, Doc("EOT preset or TOML file; the attack's own by default.")] = None
    profile: MeasuredProfile = None
    samples: Annotated[
        int | None, Doc("Transformations drawn per image and step; the attack's own number by default.")
    ] = None
    target: Annotated[str, Doc("Class to reach: none, random, least-likely, or a label.")] = "none"
    steps: Annotated[int | None, Doc("Steps of the attack; the published number by default.")] = None
    size: Size = 299
    limit: Annotated[int | None, Doc("How many pairs to make; all by default.")] = None
    prefilter: Annotated[bool, Doc("Keep only pairs right before, wrong after, both p >= 0.8.")] = False
    batch: Batch = 16
    goal: Annotated[
        float | None,
        Doc("Stop attacking an image when this share of its transformed views succeeds, 0 to 1."),
    ] = None
    query_only: Annotated[
        bool, Doc("Query the classifier as a black box and estimate gradients from its answers.")
    ] = False
    estimate: Annotated[
        str | None,
        Doc("Gradient estimator of --query-only: nes (as nes=50), nes=POPULATION or finite-differences."),
    ] = None
    sigma: Annotated[
        float | None,
        Doc("Search radius of the gradient estimator, 8-bit levels; the published one by default."),
    ] = None
    queries: Annotated[
        int | None, Doc("Query budget of an image, in place of --steps; needs --query-only.")
    ] = None
    device: Device = "auto"
    precision: Annotated[str, Doc("Number format of the classifier: float32 or bfloat16.")] = "float32"
    checkpoint: Annotated[float, Doc("Seconds between checkpoints of a batch's attack.")] = 60.0
    seed: Seed = 0

    @property
    def recipe(self) -> "Recipe":
        """Return the attack; raises an AttackError where there is none of that name."""
        from physadv.attacks.recipes import find_recipe

        return find_recipe(self.attack)

    @property
    def preset(self) -> str:
        """Return the EOT preset of the attack: the one given, or its own."""
        return self.transforms or self.recipe.transforms

    @property
    def is_transformed(self) -> bool:
        """Return whether the examples are made to survive anything."""
        return self.profile is not None or self.preset != NO_TRANSFORMS

    def distribution(self, image_px: int) -> "Transformation":
        """Return what images of so many pixels a side are made to survive: as measured, or of the preset."""
        if self.profile is not None:
            from physadv.profiles import read_profile

            return read_profile(self.profile).distribution(image_px=image_px)
        from physadv.transforms.presets import load_preset

        return load_preset(self.preset)

    def budget(self) -> dict[str, float]:
        """Return the budget, `eps` as a fraction of the pixel range or `area`; raises an AttackError."""
        return self.recipe.budget(self.eps, self.area)


OWN_NUMBERS = ("eps", "area", "transforms", "samples")
"""Options that an attack has a number of its own for."""
ATTACK_OPTIONS = ("area", "transforms", "samples", "target", "goal")
"""What a manifest records of the attack under the option's own name, beside eps and steps."""
_PIXEL_OPTIONS = ("eps", "steps", "seed", "estimate", "sigma", "queries", *ATTACK_OPTIONS)


@dataclass(frozen=True)
class MaskingSettings:
    """What is checked for gradient masking, and how hard."""

    images: Images
    model: Model = "signs"
    labels: ClassNames = None
    eps: Annotated[int, Doc("Budget in 8-bit levels.")] = 16
    steps: Annotated[int, Doc("Steps of the gradient attacks, of eps/4 each (Madry et al. 2018).")] = 100
    restarts: Annotated[
        int, Doc("Random starts of the gradient attack; an image fails if any breaks it.")
    ] = 5
    query_steps: Annotated[int, Doc("Steps of the black-box attack.")] = 50
    population: Annotated[int, Doc("Queries for each gradient of the black-box attack.")] = 50
    # Steps in the input cannot hide the way at this radius (Uesato et al. 2018, arXiv:1802.05666).
    sigma: Annotated[float, Doc("Search radius of the black-box attack, 8-bit levels.")] = 2.55
    noise: Annotated[int, Doc("Random perturbations tried on each image.")] = 100
    size: Size = 299
    limit: Annotated[int | None, Doc("How many images; all by default.")] = None
    batch: Batch = 16
    device: Device = "auto"
    seed: Seed = 0
    smallest: float = SMALLEST


@dataclass(frozen=True)
class AdoptSettings:
    """Images attacked elsewhere, and what is said of them; arrays may hold `labels` beside `images`."""

    clean: Annotated[
        Path, Doc("Clean images: folder, CSV (path,label), class tree, or .npy, .npz, .pt file.")
    ]
    adversarial: Annotated[
        Path, Doc("Adversarial images: folder with the same file names, or such an array.")
    ]
    model: Model = "signs"
    labels: ClassNames = None
    target: Annotated[str | None, Doc("Class that all adversarial images aim at, by name or index.")] = None
    made_by: Annotated[str, Doc("Name of the attack, for the manifest and report.")] = "own"


def check_least(settings: object, least: Mapping[str, int]) -> None:
    """Raise a SettingsError for the first number of some settings that is below its least."""
    for name, number in least.items():
        value = getattr(settings, name)
        if value is not None and value < number:
            raise SettingsError(f"{name} {value}: wanted {number} or more")


def resolve(settings: GenerateSettings) -> GenerateSettings:
    """Return checked settings with the attack's own numbers where none are given.

    Raises:
        SettingsError: a number out of its range, or an option that needs another or excludes it.
        AttackError: there is no such attack, it is not installed, or it takes no such budget.
        TransformError: the preset is unknown.
        ProfileError: the profile cannot be read, or was edited.
    """
    check_least(settings, {"size": 16, "batch": 1, "samples": 1, "limit": 1, "steps": 1})
    recipe = settings.recipe
    settings.budget()
    recipe.check_available()
    if settings.goal is not None and not 0 < settings.goal <= 1:
        wanted = "wanted a share of transformed views, above 0 and at most 1"
        raise SettingsError(f"goal {settings.goal:g}: {wanted}")
    if recipe.chooser is not None and settings.target != NO_TARGET:
        raise SettingsError(f"target '{settings.target}': {recipe.name} chooses its own; leave --target out")
    _check_queries(settings)
    if settings.profile is not None and settings.transforms is not None:
        given = f"transforms '{settings.transforms}' and profile {settings.profile}"
        raise SettingsError(f"{given}: wanted one of them, not both")
    own = {name: getattr(recipe, name) for name in OWN_NUMBERS if getattr(settings, name) is None}
    if settings.profile is not None:
        del own["transforms"]
    own["estimate"] = (settings.estimate or "nes") if settings.query_only else None
    resolved = replace(settings, **own)
    resolved.distribution(resolved.size)
    return resolved


def profile_record(path: Path | None) -> dict[str, str]:
    """Return what a manifest records of a profile: file, name, checksum and the photos that it rests on."""
    if path is None:
        return {}
    from physadv.profiles import read_profile

    facts = facts_of(read_profile(path))
    return {"profile": str(path), **{f"profile_{name}": fact for name, fact in facts.items()}}


def facts_of(profile: "Profile") -> dict[str, str]:
    """Return name, checksum and number of photos of a profile, for records."""
    photos = f"{len(profile.made_from)}{' (simulated)' * profile.simulated}"
    return {"name": profile.name, "checksum": profile.checksum, "photos": photos}


def _check_queries(settings: GenerateSettings) -> None:
    queries = f"queries {settings.queries}"
    if not settings.query_only and settings.estimate:
        raise SettingsError(f"estimate '{settings.estimate}': wanted --query-only with it")
    if not settings.query_only and (settings.sigma, settings.queries) != (None, None):
        raise SettingsError("sigma and queries are of estimated gradients: wanted --query-only with them")
    if settings.queries is None:
        return
    if settings.steps is not None:
        raise SettingsError(f"{queries} and steps {settings.steps}: wanted one of them, not both")
    if settings.recipe.eps is None or settings.recipe.outside:
        raise SettingsError(
            f"{queries}: {settings.attack} does not ask a fixed number a step; leave --queries out"
        )


def pixel_options(settings: GenerateSettings) -> dict[str, object]:
    """Return the resolved settings of the attack that the adversarial pixels depend on, by name."""
    return {name: getattr(settings, name) for name in _PIXEL_OPTIONS} | {"recipe": settings.recipe.name}
