"""Small networks that train to a known transition in seconds: ground truth for whoever reads or monitors training.

bed = ddtheory.testbeds.teacher_student(seed=0)
bed.checkpoints[-1]                  # kept in the package for seed 0 and the settings of the default, else trained now
bed.problem(), bed.truth             # what can be measured there, and what is known of the model that it tends to

Names are loaded when they are first used, and torch with them.
"""

import lazy_loader

from ddtheory.extras import need

need("torch", "ddtheory.testbeds")
need("safetensors", "ddtheory.testbeds")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
