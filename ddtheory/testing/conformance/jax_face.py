r"""A local posterior as functions that jax traces, compiles and differentiates: for samplers written in it.

log p(w) = −nβ K(w) + Σ h_i log |w_i| − γ‖w − w*‖²/2 inside the box, up to a constant. Samplers that move by gradients
want all of ℝ^d: there w_i is u_i, or end ± e^{u_i} on a half-line, or low + (high − low)/(1 + e^{−u_i}) on an
interval, and log p(u) has the logarithm of |dw/du| in addition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddtheory.extras import need
from ddtheory.testing.ranges import check_rational

if TYPE_CHECKING:
    from jax import Array  # type: ignore[import-not-found,import-untyped,unused-ignore]

    from ddtheory.testing.conformance.posterior import Posterior

_INSIDE = 1e-3  # of the width of an interval: where a chain starts whose truth lies on its end


@dataclass(frozen=True)
class JaxPosterior:
    """The face of a posterior at one nβ for jax; in double precision where jax is told to use it (`jax_enable_x64`).

    Passes are not counted in traced functions: pay for them with `task.charge(passes)`.

    Attributes:
        posterior: one whose `divergence` works on arrays of jax, as those of all cells do.
        n_beta: t = nβ.

    Raises:
        MissingExtraError: jax is not installed.
        InvalidValueError: nβ is no positive number.

    `JaxPosterior(task.posterior, task.n_beta).unbounded` is what `blackjax.nuts` takes.
    """

    posterior: Posterior
    n_beta: float

    def __post_init__(self) -> None:
        need("jax", "The face for jax")
        object.__setattr__(self, "n_beta", float(check_rational("n_beta", self.n_beta)))

    def log_density(self, w: Array) -> Array:
        """log p(w) of shape (…, d) → (…), −∞ outside of the box."""
        from jax import numpy as jnp

        low, high, truth = (jnp.asarray(getattr(self.posterior, name)) for name in ("lower", "upper", "truth"))
        powers = sum(
            (h * jnp.log(jnp.abs(w[..., axis])) for axis, h in enumerate(self.posterior.prior_exponents) if h),
            jnp.zeros(w.shape[:-1], w.dtype),
        )
        spread = self.posterior.localisation * jnp.square(w - truth).sum(-1) / 2
        value = powers - spread - self.n_beta * self.posterior.divergence(w)
        return jnp.where(((w >= low) & (w <= high)).all(-1), value, -math.inf)

    def unbounded(self, u: Array) -> Array:
        """log p(u) of shape (d,) → ()."""
        from jax import nn

        stretch = 0.0
        for axis, (low, high) in enumerate(self._ends()):
            if math.isfinite(low) and math.isfinite(high):
                stretch += math.log(high - low) - nn.softplus(u[axis]) - nn.softplus(-u[axis])
            elif math.isfinite(low) or math.isfinite(high):
                stretch += u[axis]
        return self.log_density(self.constrain(u)) + stretch

    def constrain(self, u: Array) -> Array:
        """w(u), shape (…, d) → (…, d)."""
        from jax import nn
        from jax import numpy as jnp

        return jnp.stack(
            [
                u[..., axis]
                if math.isinf(low) and math.isinf(high)
                else low + jnp.exp(u[..., axis])
                if math.isinf(high)
                else high - jnp.exp(u[..., axis])
                if math.isinf(low)
                else low + (high - low) * nn.sigmoid(u[..., axis])
                for axis, (low, high) in enumerate(self._ends())
            ],
            -1,
        )

    def start(self) -> Array:
        """u at the truth, or a thousandth of the width inside where the truth lies on an end."""
        from jax import numpy as jnp

        places = []
        for w, (low, high) in zip(self.posterior.truth, self._ends(), strict=True):
            if math.isinf(low) and math.isinf(high):
                places.append(w)
            elif math.isinf(high) or math.isinf(low):
                places.append(math.log(max(min(w - low, high - w), _INSIDE)))
            else:
                share = min(max((w - low) / (high - low), _INSIDE), 1 - _INSIDE)
                places.append(math.log(share / (1 - share)))
        return jnp.asarray(places)

    def _ends(self) -> list[tuple[float, float]]:
        return list(zip(self.posterior.lower, self.posterior.upper, strict=True))
