"""Where a classifier runs and in what precision."""

import torch

from physadv.classifiers.errors import ClassifierError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def find_device(name: str) -> torch.device:
    """Return the device called `name` (`cpu`, `cuda`, `cuda:1`, `mps`, …), or with `auto` the best there is.

    Raises:
        ClassifierError: torch knows no such device, or it is not there.
    """
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if name == "auto":
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # an unbuilt backend asserts
        usable = ["auto", "cpu", *([accelerator.type] if accelerator else [])]
        raise ClassifierError(f"device '{name}' cannot be used here; wanted {', '.join(usable)}") from error
    return device
