"""Linear maps with a weight, and softmax attention."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.networks.normalisation import dropout
from ddtheory.networks.tape import Jet, Tape, Use

INSTEAD = "Measure the orders instead (ddtheory.measure), or write the module without it."


def used(tape: Tape, inputs: Jet, weight: Any, output: Jet, channel: int) -> Jet:
    if isinstance(weight, Jet) and weight.parameter is not None:
        tape.uses.append(Use(weight.parameter, inputs, channel, output, channel))
    return output


def linear(tape: Tape, value: Any, weight: Any, bias: Any = None) -> Jet:
    inputs = tape.lift(value)
    output = tape.multilinear(F.linear, inputs, weight)
    return used(tape, inputs, weight, output if bias is None else tape.plus(output, bias), -1)


def matmul(tape: Tape, left: Any, right: Any) -> Jet:
    inputs = tape.lift(left)
    output = tape.multilinear(torch.matmul, inputs, right)
    is_weight = isinstance(right, Jet) and right.parameter is not None and right.dim() == 2
    return used(tape, inputs, right, output, -1) if is_weight else output


def added_product(tape: Tape, added: Any, left: Any, right: Any, *, beta: Any = 1, alpha: Any = 1) -> Jet:
    product = matmul(tape, left, right)
    product = product if alpha == 1 else tape.times(product, alpha)
    return tape.plus(product, added if beta == 1 else tape.times(added, beta))


def masked_fill(tape: Tape, value: Jet, mask: Tensor, fill: Any) -> Jet:
    kept = tape.multilinear(lambda part: part.masked_fill(mask, 0.0), value)
    return tape.plus(kept, torch.zeros(kept.shape, dtype=torch.float64).masked_fill(mask, fill))


def attend(tape: Tape, query: Any, key: Any, value: Any, mask: Tensor | None, *, causal: bool, scale: Any) -> Jet:
    """softmax(q kᵀ · scale + mask) v, with mask True where a position is seen, or added to the scores."""
    scores = tape.times(tape.multilinear(lambda q, k: q @ k.mT, query, key), scale)
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if mask is not None:
        scores = masked_fill(tape, scores, ~mask, -torch.inf) if mask.dtype == torch.bool else tape.plus(scores, mask)
    return tape.multilinear(torch.matmul, tape.softmax(scores, -1), value)


def scaled_dot_product_attention(
    tape: Tape,
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Jet:
    if dropout_p > 0:
        dropout(tape, value, dropout_p)
    if enable_gqa:  # each head of keys and values serves several heads of queries
        shared = tape.lift(query).shape[-3] // tape.lift(key).shape[-3]
        key, value = (
            tape.multilinear(lambda part: part.repeat_interleave(shared, -3), whole) for whole in (key, value)
        )
    scale = tape.lift(query).shape[-1] ** -0.5 if scale is None else scale
    return attend(tape, query, key, value, attn_mask, causal=is_causal, scale=scale)


def multi_head_attention(
    tape: Tape,
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    is_causal: bool = False,
    **_about_weights: Any,
) -> tuple[Jet, None]:
    """torch.nn.MultiheadAttention: sequence first; masks are True where a position is not seen."""
    if bias_k is not None or bias_v is not None or add_zero_attn or key_padding_mask is not None:
        raise InvalidValueError(
            f"Attention with bias_kv, zero attention or a padding mask is no rule of the calculus. {INSTEAD}"
        )
    if training and dropout_p > 0:
        dropout(tape, tape.lift(query), dropout_p)
    size = embed_dim_to_check
    weights = [q_proj_weight, k_proj_weight, v_proj_weight]
    projected = []
    for i, (source, name) in enumerate(zip((query, key, value), ("query", "key", "value"), strict=True)):
        rows = slice(i * size, (i + 1) * size)
        weight = weights[i]
        if not use_separate_proj_weight:
            weight = tape.multilinear(lambda part, rows=rows: part[rows], in_proj_weight)
            if isinstance(in_proj_weight, Jet) and in_proj_weight.parameter is not None:
                weight.parameter = in_proj_weight.parameter.removesuffix("in_proj_weight") + name
        bias = None if in_proj_bias is None else tape.multilinear(lambda part, rows=rows: part[rows], in_proj_bias)
        whole = linear(tape, source, weight, bias)
        projected.append(
            tape.multilinear(
                lambda part: part.reshape(*part.shape[:-1], num_heads, -1).movedim(0, -2),
                whole,
            )
        )  # … × heads × positions × head size
    if attn_mask is not None:
        attn_mask = ~attn_mask if attn_mask.dtype == torch.bool else attn_mask
        if attn_mask.dim() == 3:
            attn_mask = attn_mask.reshape(-1, num_heads, *attn_mask.shape[1:])
    scale = projected[0].shape[-1] ** -0.5
    causal = is_causal and attn_mask is None
    mixed = attend(tape, projected[0], projected[1], projected[2], attn_mask, causal=causal, scale=scale)
    together = tape.multilinear(lambda part: part.movedim(-2, 0).flatten(-2), mixed)
    return linear(tape, together, out_proj_weight, out_proj_bias), None
