"""The model families. Importing this package registers every family in ``FAMILIES``."""

from importlib import import_module
from pkgutil import iter_modules

from genlib.models.base import FAMILIES, Model
from genlib.models.capabilities import CAPABILITIES, capabilities

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["CAPABILITIES", "FAMILIES", "Model", "capabilities"]
