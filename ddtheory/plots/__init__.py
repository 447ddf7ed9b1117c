"""Pictures of profiles, germs and verdicts. Every function returns a `Figure` and touches no state of matplotlib.

from ddtheory import plots
figure = plots.rate(profile)         # anything with radii and values, or several of them
figure.savefig("rate.svg")

Names are loaded when they are first used, and matplotlib with them.
"""

import lazy_loader

from ddtheory.extras import need

need("matplotlib", "ddtheory.plots")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
