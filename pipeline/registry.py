"""Discovery of declarations: adding a stage, command or resource is adding one file.

A declaration is a module-level name (`STAGE`, `COMMAND`, ...) in a module of a known package.
Nothing is registered by hand and nothing is loaded from outside the product.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


def discover(package: str, declaration: str) -> tuple[Any, ...]:
    """Import every module directly inside `package` and return what each declares, in name order.

    A module without the declaration (a contract, shared code) contributes nothing.
    """
    root = importlib.import_module(package)
    names = sorted(module.name for module in pkgutil.iter_modules(root.__path__))
    modules = (importlib.import_module(f"{package}.{name}") for name in names)
    return tuple(getattr(m, declaration) for m in modules if hasattr(m, declaration))
