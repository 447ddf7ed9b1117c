"""Measured orders: torch, float64, one forward-mode derivative a direction. Never sees a prediction."""

from ddtheory.extras import need as _need
from ddtheory.offered import offered as _offered

_need("torch", "ddtheory.measure")

from ddtheory.measure.heads.check import HeadCheck as HeadCheck
from ddtheory.measure.heads.check import check_head as check_head
from ddtheory.measure.heads.heads import HEADS as HEADS
from ddtheory.measure.heads.heads import Bernoulli as Bernoulli
from ddtheory.measure.heads.heads import Categorical as Categorical
from ddtheory.measure.heads.heads import Density as Density
from ddtheory.measure.heads.heads import ExponentialFamily as ExponentialFamily
from ddtheory.measure.heads.heads import Gaussian as Gaussian
from ddtheory.measure.heads.heads import Head as Head
from ddtheory.measure.heads.heads import HeadKind as HeadKind
from ddtheory.measure.heads.heads import OutputMetric as OutputMetric
from ddtheory.measure.matrices.dense import fisher_matrix as fisher_matrix
from ddtheory.measure.matrices.gram import GramFactor as GramFactor
from ddtheory.measure.matrices.gram import Spectrum as Spectrum
from ddtheory.measure.matrices.kronecker import KroneckerFactors as KroneckerFactors
from ddtheory.measure.matrices.kronecker import gradient_gram as gradient_gram
from ddtheory.measure.matrices.labels import ModelLabels as ModelLabels
from ddtheory.measure.matrices.labels import NoisyTargets as NoisyTargets
from ddtheory.measure.matrices.leading import LeadingSpectrum as LeadingSpectrum
from ddtheory.measure.matrices.leading import leading_spectrum as leading_spectrum
from ddtheory.measure.matrices.many_layers import LayerFactors as LayerFactors
from ddtheory.measure.matrices.many_layers import kronecker_factors as kronecker_factors
from ddtheory.measure.matrices.many_layers import kronecker_factors_of_all as kronecker_factors_of_all
from ddtheory.measure.matrices.schur import SchurProfile as SchurProfile
from ddtheory.measure.matrices.schur import schur_along as schur_along
from ddtheory.measure.matrices.schur import schur_order as schur_order
from ddtheory.measure.matrices.spectra import SpectrumProfile as SpectrumProfile
from ddtheory.measure.matrices.spectra import activation_gram as activation_gram
from ddtheory.measure.matrices.spectra import fisher_gram as fisher_gram
from ddtheory.measure.matrices.spectra import spectra_along as spectra_along
from ddtheory.measure.orders.fisher import fisher_along as fisher_along
from ddtheory.measure.orders.fisher import fisher_profiles as fisher_profiles
from ddtheory.measure.orders.ladder import order_along as order_along
from ddtheory.measure.orders.profile import DEFAULT_RADII as DEFAULT_RADII
from ddtheory.measure.orders.profile import Profile as Profile
from ddtheory.measure.orders.rate import order as order
from ddtheory.measure.orders.scales import TwoScaleReading as TwoScaleReading
from ddtheory.measure.setting.direction import Direction as Direction
from ddtheory.measure.setting.path import Path as Path
from ddtheory.measure.setting.path import arc as arc
from ddtheory.measure.setting.path import ray as ray
from ddtheory.measure.setting.problem import Problem as Problem
from ddtheory.measure.signatures.directions import DirectionReading as DirectionReading
from ddtheory.measure.signatures.directions import LayerDirection as LayerDirection
from ddtheory.measure.signatures.events import EventOrder as EventOrder
from ddtheory.measure.signatures.events import Timing as Timing
from ddtheory.measure.signatures.events import event_order as event_order
from ddtheory.measure.signatures.events import median_interval as median_interval
from ddtheory.measure.signatures.ranks import RankComparison as RankComparison
from ddtheory.measure.signatures.ranks import RankStanding as RankStanding
from ddtheory.measure.signatures.ranks import compare_ranks as compare_ranks
from ddtheory.measure.signatures.signatures import LayerSignature as LayerSignature
from ddtheory.measure.signatures.signatures import Signatures as Signatures
from ddtheory.measure.signatures.signatures import signatures as signatures
from ddtheory.measure.signatures.trajectory import SignatureRecorder as SignatureRecorder
from ddtheory.measure.signatures.trajectory import Trajectory as Trajectory

__dir__ = _offered(globals())
