"""Networks as people have them: of `transformers` by configuration, tiny, with random weights, and two trained ones."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor, nn

VOCABULARY = 13
TOKENS = torch.tensor([[3, 1, 2, 4], [2, 12, 0, 0], [7, 4, 9, 0]])
SEEN = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]])
TEXT = {"input_ids": TOKENS, "attention_mask": SEEN}
IMAGES = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def library() -> Any:
    """The package `transformers`. It imports torchvision where that is installed, also where that does not work."""
    try:
        import torchvision  # noqa: F401
    except Exception:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules["torchvision"] = None  # type: ignore[assignment]
    import transformers

    transformers.logging.set_verbosity_error()
    return transformers


def network(name: str) -> nn.Module:
    """A tiny network of that architecture, generic: every parameter is drawn, biases and norms too."""
    package = library()
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    words = {"vocab_size": VOCABULARY, **ends}
    wide = {**words, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 4}
    grouped = {**wide, "num_key_value_heads": 2}
    deep = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2}
    made: dict[str, tuple[str, str, dict[str, Any]]] = {
        "GPT-2": ("GPT2LMHeadModel", "GPT2Config", {**words, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 8}),
        "Llama": ("LlamaForCausalLM", "LlamaConfig", grouped),
        "Qwen2": ("Qwen2ForCausalLM", "Qwen2Config", grouped),
        "Mamba": (
            "MambaForCausalLM",
            "MambaConfig",
            {**words, "hidden_size": 8, "state_size": 2, "num_hidden_layers": 1},
        ),
        "T5": (
            "T5ForConditionalGeneration",
            "T5Config",
            {
                **words,
                "d_model": 8,
                "d_kv": 4,
                "d_ff": 12,
                "num_layers": 1,
                "num_heads": 2,
                "decoder_start_token_id": 0,
            },
        ),
        "ViT": ("ViTForImageClassification", "ViTConfig", {**deep, "image_size": 8, "patch_size": 4, "num_labels": 3}),
        "BERT": ("BertForTokenClassification", "BertConfig", {**words, **deep, "num_labels": 3}),
    }
    model, configuration, options = made[name]
    torch.manual_seed(0)
    found: nn.Module = getattr(package, model)(getattr(package, configuration)(**options)).eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for key, value in found.named_parameters():
            if "A_log" not in key and "dt_proj" not in key:
                value.add_(0.3 * torch.randn(value.shape, generator=generator))
    return found


def inputs(name: str) -> dict[str, Tensor]:
    """What that network is given."""
    if name == "ViT":
        return {"pixel_values": IMAGES}
    if name == "T5":
        return {**TEXT, "decoder_input_ids": TOKENS, "decoder_attention_mask": SEEN}
    return dict(TEXT)


MASKS = {"T5": "decoder_attention_mask", "ViT": None}
"""The input that says which outputs have labels, where it is not "attention_mask"."""
