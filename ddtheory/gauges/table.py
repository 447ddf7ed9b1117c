"""The table of gauges: name, group, hypothesis, and who proposes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ddtheory.gauges.gauge import Gauge, Group
from ddtheory.gauges.rules import attention, channels, gains, norms, streams
from ddtheory.gauges.tape import Tape
from ddtheory.shown import Shown


@dataclass(frozen=True, repr=False)
class GaugeRule(Shown):
    """A kind of gauge.

    Attributes:
        name: of the row; every gauge of the kind carries it as `rule`.
        group: that acts.
        orbit: what it does to the parameters.
        hypothesis: under which the function stays exactly where it is.
        find: proposes gauges from the operations of a model.
    """

    name: str
    group: Group
    orbit: str
    hypothesis: str
    find: Callable[[Tape], Iterator[Gauge]]

    def __str__(self) -> str:
        return f"{self.name}: {self.orbit}"

    def rows(self) -> Mapping[str, str]:
        return {"gauge": self.name, "group": self.group.value, "orbit": self.orbit, "hypothesis": self.hypothesis}


_TABLE = (
    GaugeRule(
        "rescaling",
        Group.POSITIVE,
        "W ↦ CW, b ↦ Cb, W' ↦ W'C⁻¹ with C diagonal and positive",
        "Between the maps stand only functions f of one channel with f(cz) = c f(z) for c > 0; nobody else reads.",
        channels.rescalings,
    ),
    GaugeRule(
        "sign flips",
        Group.SIGN,
        "W ↦ SW, b ↦ Sb, W' ↦ W'S with S diagonal, entries ±1",
        "Between the maps stand only odd functions of one channel; nobody else reads.",
        channels.sign_flips,
    ),
    GaugeRule(
        "permutation",
        Group.PERMUTATION,
        "W ↦ PW, b ↦ Pb, W' ↦ W'Pᵀ",
        "Between the maps stands one function, the same for every channel; nobody else reads. Where the channels of "
        "two maps are multiplied, as in a gated unit, both are permuted.",
        channels.permutations,
    ),
    GaugeRule(
        "rotation",
        Group.ROTATION,
        "W ↦ OW, b ↦ Ob, W' ↦ W'Oᵀ with O orthogonal",
        "No function stands between the maps; nobody else reads.",
        channels.rotations,
    ),
    GaugeRule(
        "normalisation scale",
        Group.POSITIVE,
        "γ ↦ Cγ, β ↦ Cβ, and WC⁻¹ for every map that reads, with C diagonal and positive",
        "Only affine maps read the output of the LayerNorm or RMSNorm.",
        norms.normalisation_scales,
    ),
    GaugeRule(
        "batch normalisation scale",
        Group.POSITIVE,
        "γ ↦ Cγ, β ↦ Cβ, and W'C⁻¹ for every map that reads, with C diagonal and positive",
        "After the BatchNorm stand only functions f of one channel with f(cz) = c f(z) for c > 0; nobody else reads.",
        norms.batch_scales,
    ),
    GaugeRule(
        "batch normalisation input scale",
        Group.CENTRED,
        "W ↦ CW, b ↦ Cb, γ ↦ C⁻¹γ, β ↦ β + (C⁻¹γ − γ)μ/σ with C diagonal and positive",
        "The BatchNorm is in evaluation, so that μ and σ are numbers, and nobody else reads what it normalises.",
        norms.batch_input_scales,
    ),
    GaugeRule(
        "gain scale",
        Group.POSITIVE,
        "γ ↦ Cγ, β ↦ Cβ, and W'C⁻¹ for every map that reads, with C diagonal and positive",
        "γ multiplies the channels in a call of its own, as in a norm that is written out. After it stand only "
        "functions f of one channel with f(cz) = c f(z) for c > 0; nobody else reads.",
        gains.gain_scales,
    ),
    GaugeRule(
        "gain input scale",
        Group.POSITIVE,
        "W ↦ CW, b ↦ Cb, γ ↦ C⁻¹γ with C diagonal and positive",
        "Only γ reads the map, in a product of its own, as where the branch of a residual network has a scale for each "
        "channel; f as above may stand between.",
        gains.gain_input_scales,
    ),
    GaugeRule(
        "bias shift",
        Group.BIAS,
        "b ↦ b + v and b' ↦ b' − W'v for every map that reads, for any v",
        "Only maps with biases read b, through operations that leave a constant as it is: another map, the offset of a "
        "norm, the values of an attention, whose weights sum to one.",
        channels.bias_shifts,
    ),
    GaugeRule(
        "normalisation kernel",
        Group.KERNEL,
        "W ↦ W + vκᵀ, b ↦ b − v(κ·β) with κ ∝ 1/γ, for each map that reads",
        "The map reads the output of a LayerNorm, which has no part along κ but that of β; others may read it too.",
        norms.normalisation_kernels,
    ),
    GaugeRule(
        "normalisation shift",
        Group.SHIFT,
        "W ↦ W + 1vᵀ, b ↦ b + c1 for a map, E ↦ E + v1ᵀ for a table of rows",
        "LayerNorms over all channels alone read what it makes, through sums: they take the mean of the channels out. "
        "An RMSNorm does not.",
        norms.normalisation_shifts,
    ),
    GaugeRule(
        "key bias",
        Group.TRANSLATION,
        "b_K ↦ b_K + v for any v",
        "Queries meet keys in inner products under a softmax over keys: no rotary position, no key without the bias.",
        attention.key_biases,
    ),
    GaugeRule(
        "query–key scale",
        Group.POSITIVE,
        "W_Q ↦ CW_Q, W_K ↦ C⁻¹W_K, biases alike, with C diagonal and positive",
        "Queries and keys meet in inner products only: no rotary position and no normalisation between. Heads of "
        "queries that share keys share C.",
        attention.query_key_scales,
    ),
    GaugeRule(
        "query–key rotation",
        Group.ROTATION,
        "W_Q ↦ OW_Q, W_K ↦ OW_K, biases alike, with O orthogonal in each head",
        "As for scales. With scales it generates the full linear group of each head.",
        attention.query_key_rotations,
    ),
    GaugeRule(
        "rotary query–key",
        Group.COMPLEX,
        "W_Q ↦ ZW_Q, W_K ↦ Z̄⁻¹W_K, biases alike, with Z diagonal and complex on pairs of channels",
        "Rotary positions turn channel i of a head with channel i + half, and nothing else stands between.",
        attention.rotary_scales,
    ),
    GaugeRule(
        "rotary query–key, interleaved",
        Group.INTERLEAVED,
        "W_Q ↦ ZW_Q, W_K ↦ Z̄⁻¹W_K, biases alike, with Z diagonal and complex on pairs of neighbours",
        "Rotary positions turn channel 2i of a head with channel 2i + 1, and nothing else stands between.",
        attention.rotary_neighbours,
    ),
    GaugeRule(
        "value–output scale",
        Group.POSITIVE,
        "W_V ↦ CW_V, W_O ↦ W_OC⁻¹, with C diagonal and positive",
        "Values are averaged over tokens and go to the output map, with nothing else between.",
        attention.value_output_scales,
    ),
    GaugeRule(
        "value–output rotation",
        Group.ROTATION,
        "W_V ↦ OW_V, W_O ↦ W_OOᵀ, with O orthogonal in each head",
        "As for scales. With scales it generates the full linear group of each head.",
        attention.value_output_rotations,
    ),
    GaugeRule(
        "stream rotation",
        Group.ROTATION,
        "W ↦ OW for every map or table that adds to a sum, W' ↦ W'Oᵀ for every map that reads it, with O orthogonal",
        "Only sums and norms without scales stand between, as in a residual stream: γ of a norm would break it, and so "
        "does an output. A table that also makes the logits is moved once.",
        streams.stream_rotations,
    ),
    GaugeRule(
        "stream scale",
        Group.POSITIVE,
        "W ↦ CW for every map or table that adds to a sum, W' ↦ W'C⁻¹ for every map that reads it",
        "Only sums stand between, and nothing that adds to the sum reads it too. With rotations it generates the full "
        "linear group.",
        streams.stream_scales,
    ),
    GaugeRule(
        "logit shift",
        Group.SHIFT,
        "W ↦ W + 1vᵀ, b ↦ b + a1",
        "The outputs are logits: only their softmax is seen.",
        channels.logit_shifts,
    ),
)

RULES: Mapping[str, GaugeRule] = MappingProxyType({rule.name: rule for rule in _TABLE})
"""The rows by name."""
