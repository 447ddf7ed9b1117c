"""What stands for a character that the encoding of a stream does not have.

No replacement has a quotation mark or a backslash of its own, so JSON stays JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ddtheory.visible import written_out

# fmt: off
PLAIN: Mapping[str, str] = {
    "≤": "<=", "≥": ">=", "≠": "!=", "≍": "~", "≈": "~", "∼": "~", "∝": "~", "≡": "==", "≪": "<<", "≫": ">>", "±": "+-",
    "×": "x", "·": "*", "−": "-", "√": "sqrt", "∞": "inf", "→": "->", "⇒": "=>", "↦": "->", "∂": "d", "∈": " in ",
    "∑": "sum ", "Σ": "sum ", "∏": "prod ", "∫": "int ", "⊗": " (x) ", "½": "1/2", "¼": "1/4", "‖": "||", "∥": "||",
    "⟨": "<", "⟩": ">", "ℓ": "l", "ℝ": "R", "ℚ": "Q", "ℤ": "Z", "ℂ": "C", "§": "section ", "“": "'", "”": "'",
    "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "⋯": "...", "✓": "+", "✗": "x", "⊂": "<", "○": "o", "•": "*",
    "†": "+", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi",
    "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Π": "Pi",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}
# fmt: on

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿᵀ", "0123456789+-nT"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋ₙ", "0123456789+-n"


def in_ascii(text: str) -> str:
    r"""The text in ASCII, readably; a character without a replacement is written out.

    >>> print(in_ascii("λ ≥ ½, x⁻¹² + y₁, 中"))
    lambda >= 1/2, x^-12 + y_1, \u4e2d
    """
    text = re.sub(f"[{_RAISED[0]}]+", lambda found: "^" + found[0].translate(str.maketrans(*_RAISED)), text)
    text = re.sub(f"[{_LOWERED[0]}]+", lambda found: "_" + found[0].translate(str.maketrans(*_LOWERED)), text)
    return "".join(PLAIN.get(character) or _ascii(character) for character in text)


def _ascii(character: str) -> str:
    return character if character.isascii() else written_out(character)
