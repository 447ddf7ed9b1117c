"""Exact derivations: sympy, and ball arithmetic where a sign must be proven. Never measures anything.

Names are loaded when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
