"""Measured orders: torch, float64, one forward-mode derivative a direction. Never sees a prediction."""

from ddtheory.measure.dense import fisher_matrix as fisher_matrix
from ddtheory.measure.direction import Direction as Direction
from ddtheory.measure.direction import Path as Path
from ddtheory.measure.direction import arc as arc
from ddtheory.measure.direction import ray as ray
from ddtheory.measure.fisher import fisher_along as fisher_along
from ddtheory.measure.fisher import fisher_profiles as fisher_profiles
from ddtheory.measure.heads import Categorical as Categorical
from ddtheory.measure.heads import Density as Density
from ddtheory.measure.heads import ExponentialFamily as ExponentialFamily
from ddtheory.measure.heads import Gaussian as Gaussian
from ddtheory.measure.heads import Head as Head
from ddtheory.measure.heads import OutputMetric as OutputMetric
from ddtheory.measure.problem import Problem as Problem
from ddtheory.measure.profile import DEFAULT_RADII as DEFAULT_RADII
from ddtheory.measure.profile import Profile as Profile
from ddtheory.measure.rate import order as order
from ddtheory.measure.schur import SchurProfile as SchurProfile
from ddtheory.measure.schur import schur_along as schur_along
from ddtheory.measure.schur import schur_order as schur_order
