"""Checks the claims of singular learning theory: exact orders, measured orders, and verdicts.

The public face. Names are loaded when they are first used, so that `import ddtheory` loads neither sympy, torch
nor matplotlib; what it offers is listed, with types, in `__init__.pyi`.
"""

import logging

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.2.0"

# what happens is told to the logger of this name; where it goes is the business of whoever runs the program
logging.getLogger(__name__).addHandler(logging.NullHandler())
