"""Measured orders: torch, float64, one forward-mode derivative a direction. Never sees a prediction."""

from ddtheory.extras import need

need("torch", "ddtheory.measure")

from ddtheory.measure.dense import fisher_matrix as fisher_matrix
from ddtheory.measure.direction import Direction as Direction
from ddtheory.measure.fisher import fisher_along as fisher_along
from ddtheory.measure.fisher import fisher_profiles as fisher_profiles
from ddtheory.measure.gram import GramFactor as GramFactor
from ddtheory.measure.gram import Spectrum as Spectrum
from ddtheory.measure.head_check import HeadCheck as HeadCheck
from ddtheory.measure.head_check import check_head as check_head
from ddtheory.measure.heads import HEADS as HEADS
from ddtheory.measure.heads import Bernoulli as Bernoulli
from ddtheory.measure.heads import Categorical as Categorical
from ddtheory.measure.heads import Density as Density
from ddtheory.measure.heads import ExponentialFamily as ExponentialFamily
from ddtheory.measure.heads import Gaussian as Gaussian
from ddtheory.measure.heads import Head as Head
from ddtheory.measure.heads import HeadKind as HeadKind
from ddtheory.measure.heads import OutputMetric as OutputMetric
from ddtheory.measure.kronecker import KroneckerFactors as KroneckerFactors
from ddtheory.measure.kronecker import gradient_gram as gradient_gram
from ddtheory.measure.labels import ModelLabels as ModelLabels
from ddtheory.measure.labels import NoisyTargets as NoisyTargets
from ddtheory.measure.ladder import order_along as order_along
from ddtheory.measure.many_layers import LayerFactors as LayerFactors
from ddtheory.measure.many_layers import kronecker_factors as kronecker_factors
from ddtheory.measure.many_layers import kronecker_factors_of_all as kronecker_factors_of_all
from ddtheory.measure.path import Path as Path
from ddtheory.measure.path import arc as arc
from ddtheory.measure.path import ray as ray
from ddtheory.measure.problem import Problem as Problem
from ddtheory.measure.profile import DEFAULT_RADII as DEFAULT_RADII
from ddtheory.measure.profile import Profile as Profile
from ddtheory.measure.rate import order as order
from ddtheory.measure.scales import TwoScaleReading as TwoScaleReading
from ddtheory.measure.schur import SchurProfile as SchurProfile
from ddtheory.measure.schur import schur_along as schur_along
from ddtheory.measure.schur import schur_order as schur_order
from ddtheory.measure.signature_directions import DirectionReading as DirectionReading
from ddtheory.measure.signature_directions import LayerDirection as LayerDirection
from ddtheory.measure.signatures import LayerSignature as LayerSignature
from ddtheory.measure.signatures import Signatures as Signatures
from ddtheory.measure.signatures import signatures as signatures
from ddtheory.measure.spectra import SpectrumProfile as SpectrumProfile
from ddtheory.measure.spectra import activation_gram as activation_gram
from ddtheory.measure.spectra import fisher_gram as fisher_gram
from ddtheory.measure.spectra import spectra_along as spectra_along
from ddtheory.measure.trajectory import SignatureRecorder as SignatureRecorder
from ddtheory.measure.trajectory import Trajectory as Trajectory
