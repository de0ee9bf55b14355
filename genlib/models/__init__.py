"""The model families. ``FAMILIES``, taken from here, is complete: it imports every family.

They are imported when somebody asks for it, not with the package. A thread that imports a module of
a package holds that module while it waits for the package; were another one importing the package,
and with it all modules, each would wait for the other, and Python would hand out half a module.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlib.models.base import FAMILIES, Model
    from genlib.models.capabilities import CAPABILITIES

HOMES = {"FAMILIES": "base", "Model": "base", "CAPABILITIES": "capabilities"}

__all__ = ["CAPABILITIES", "FAMILIES", "Model"]


def __getattr__(name: str) -> object:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "FAMILIES":
        for module in iter_modules(__path__):
            import_module(f"{__name__}.{module.name}")
    found: object = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    globals()[name] = found
    return found
