"""Every attack by name, with the numbers that functions, command line, `list attacks` and docs all read."""

from physadv.attacks.errors import AttackError
from physadv.attacks.recipe import LIBRARIES, Recipe
from physadv.errors import unknown_name
from physadv.files import file_sha256
from physadv.importing import OWN, own_source

USUAL_EPS = {"L∞": 16, "L2": 765, "L1": 3060}
"""Budgets in 8-bit levels: Kurakin et al. 2017's, 3.0 and 12.0 of the pixel range."""

_KURAKIN = "Kurakin et al. 2017, arXiv:1607.02533"
_MADRY = "Madry et al. 2018, arXiv:1706.06083"
_ATHALYE = "Athalye et al. 2018, arXiv:1707.07397"

# A table, one attack a paragraph; the formatter would make it 150 lines.
# fmt: off
_ALL = (
    Recipe("fast", _KURAKIN, "L∞",
           "one signed step away from the true label",
           "gradient:fast", steps=1, step=1, unit="eps", eps=USUAL_EPS["L∞"]),
    Recipe("bim", _KURAKIN, "L∞",
           "basic iterative method: small signed steps away from the true label",
           "gradient:bim", step=1, eps=USUAL_EPS["L∞"]),
    Recipe("least-likely", _KURAKIN, "L∞",
           "small signed steps towards the clean image's least likely class",
           "gradient:least_likely", step=1, eps=USUAL_EPS["L∞"], chooser="objectives:least_likely_class"),
    Recipe("pgd", _MADRY, "L∞",
           "signed steps away from the true label, from a random start",
           "gradient:pgd", steps=20, step=1 / 4, unit="eps", eps=USUAL_EPS["L∞"]),
    Recipe("pgd-l2", _MADRY, "L2",
           "steps along the gradient's direction in a Euclidean ball",
           "gradient:pgd_l2", steps=20, step=1 / 8, unit="eps", eps=USUAL_EPS["L2"]),
    Recipe("mim", "Dong et al. 2018, arXiv:1710.06081", "L∞",
           "momentum: signed steps along an accumulated gradient",
           "gradient:mim", steps=10, step=1, unit="eps/steps", parameters={"decay": 1}, eps=USUAL_EPS["L∞"]),
    Recipe("cw-l2", "Carlini & Wagner 2017, arXiv:1608.04644", "L2",
           "the nearest picture that fools, by Adam on tanh values and the margin f6",
           "minimum_norm:cw_l2", steps=1000, step=0.01, unit="values",
           parameters={"searches": 9, "first_weight": 0.001}),
    Recipe("lbfgs", "Szegedy et al. 2014, arXiv:1312.6199", "L2",
           "the nearest picture that fools, by L-BFGS in the box",
           "minimum_norm:lbfgs", steps=20, step=1, unit="values",
           parameters={"searches": 15, "first_weight": 0.001}),
    Recipe("deepfool", "Moosavi-Dezfooli et al. 2016, arXiv:1511.04599", "L2",
           "the nearest linearised boundary, again and again; needs foolbox",
           "foolbox:L2DeepFoolAttack", library="foolbox"),
    Recipe("jsma", "Papernot et al. 2016, arXiv:1511.07528", "L0",
           "few values changed to the full, towards a target; small pictures; needs torchattacks",
           "libraries:jsma", library="torchattacks"),
    Recipe("eot", _ATHALYE, "L∞",
           "descends the loss expected over random transformations",
           "gradient:eot", steps=100, step=2.5, unit="eps/steps", parameters={"decay": 0.9},
           eps=USUAL_EPS["L∞"], transforms="print-photo", samples=8),
    Recipe("eot-lagrangian", _ATHALYE, "LAB",
           "expected loss plus the LAB distance expected over the same transformations, by Adam",
           "gradient:eot_lagrangian", steps=100, step=2, parameters={"weight": 0.1},
           transforms="print-photo", samples=8),
    Recipe("patch", "Brown et al. 2017, arXiv:1712.09665", "area",
           "one round patch for the whole batch, put on every image at a random place, by Adam",
           "patches:universal_patch", steps=500, step=0.05, unit="range", parameters={"rotation": 22.5},
           area=0.1, samples=4),
    Recipe("rp2", "Eykholt et al. 2018, arXiv:1707.08945", "mask",
           "two printable, smooth bars stuck on every image, by Adam whose rate falls to nothing",
           "stickers:rp2", steps=300, step=0.05, unit="range",
           parameters={"printability": 0.01, "smoothness": 0.3}, transforms="rp2-sign", samples=8),
)
# fmt: on

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}


def find_recipe(name: str) -> Recipe:
    """Return the attack called `name`.

    Args:
        name: one of `RECIPES`; `foolbox:CLASS` or `torchattacks:CLASS`; or `python:module:function`, a
            function of the user's own as `OwnAttack` describes it.

    Raises:
        AttackError: there is no such attack (the line names the nearest), its library is not installed, or
            there is no such module.

    Example:
        >>> find_recipe("eot").defaults
        '100 steps of eps/40, decay 0.9, 8 samples of print-photo'
    """
    if name.startswith(OWN):
        return Recipe(
            name=name,
            paper="your own",
            norm="L∞",
            description="a function of your own",
            function=name,
            eps=USUAL_EPS["L∞"],
            source_sha256=file_sha256(own_source("attack", name, AttackError)),
        )
    library, colon, attack = name.partition(":")
    if colon and library in LIBRARIES:
        from physadv.attacks.libraries import LibraryAttack

        norm = LibraryAttack(library, attack).norm()
        return Recipe(
            name=name,
            paper=f"the {library} library",
            norm=norm or "its own",
            description=f"{attack} of {library}",
            function=name,
            eps=None if norm is None else USUAL_EPS.get(norm),
            library=library,
        )
    if name not in RECIPES:
        forms = [*(f"{library}:CLASS" for library in LIBRARIES), f"{OWN}module:function"]
        raise AttackError(unknown_name("attack", name, [*RECIPES, *forms]))
    return RECIPES[name]
