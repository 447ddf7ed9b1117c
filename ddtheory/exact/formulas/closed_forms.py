"""The closed forms that the package knows, in general sizes."""

from __future__ import annotations

from sympy import And, Eq, Max, Min, Ne, Piecewise, Rational, Symbol, ceiling, floor, sqrt, symbols, true

from ddtheory.exact.formulas.formula import Formula
from ddtheory.references import cite


def crossing() -> Formula:
    """Two coordinates that cross: K = x^{2k} y^{2l} with the prior |x|^g |y|^h.

    Source: Watanabe 2009, Section 4.4.

    >>> crossing().at(k=1, l=2, g=0, h=1)
    RLCT(lam=Fraction(1, 2), m=2)
    """
    k, el = symbols("k l", integer=True, positive=True)
    g, h = symbols("g h", real=True)
    first, second = (g + 1) / (2 * k), (h + 1) / (2 * el)
    return Formula(
        "a crossing of two coordinates",
        {k: "the order in x", el: "the order in y", g: "the exponent of the prior in x", h: "the same in y"},
        Min(first, second),
        Piecewise((2, Eq(first, second)), (1, true)),
        And(g > -1, h > -1),
        cite("watanabe2009", "Section 4.4"),
    )


def reduced_rank() -> Formula:
    """Reduced-rank regression at a true map of rank r: the global pair, in four cases.

    Source: Aoyagi and Watanabe 2005, Main Theorem.

    >>> reduced_rank().at(M=10, H=4, N=5, r=2)
    RLCT(lam=Fraction(16, 1), m=1)
    """
    inputs, hidden, outputs = symbols("M H N", integer=True, positive=True)
    rank = Symbol("r", integer=True, nonnegative=True)
    both = hidden + rank
    odd = (inputs + both + outputs) % 2
    inner = And(outputs + rank <= inputs + hidden, inputs + rank <= outputs + hidden, both <= inputs + outputs)
    squares = -(both**2) - inputs**2 - outputs**2 + 2 * both * (inputs + outputs) + 2 * inputs * outputs
    return Formula(
        "reduced-rank regression, the dominating pair over all factorisations",
        {inputs: "the number of inputs", hidden: "the width", outputs: "the number of outputs", rank: "the true rank"},
        Piecewise(
            ((squares + odd) / 8, inner),
            ((hidden * inputs - hidden * rank + outputs * rank) / 2, inputs + hidden < outputs + rank),
            ((hidden * outputs - hidden * rank + inputs * rank) / 2, outputs + hidden < inputs + rank),
            (inputs * outputs / 2, true),
        ),
        Piecewise((1 + odd, inner), (1, true)),
        And(rank <= inputs, rank <= hidden, rank <= outputs),
        cite("aoyagi-watanabe2005", "Main Theorem"),
    )


def local_reduced_rank() -> Formula:
    """Reduced-rank regression at one factorisation BA with ranks a of A, b of B and r of BA.

    λ = (q + min_t c_t)/2 with q = Mb + Na − ab and c_t = hn − st + t², s = h + n − p, 0 ≤ t ≤ min(h, n), p = N − b,
    n = M − a, h = H − a − b + r. The minimum is at ⌊s/2⌋, held between 0 and min(h, n), and shared with the next t when
    s is odd and that t is there.

    Source: derived in the claim MAIS:O70 of the shipped book; the global pair is Aoyagi and Watanabe 2005.

    >>> local_reduced_rank().at(M=2, H=2, N=2, r=0, a=2, b=0), local_reduced_rank().at(M=2, H=2, N=2, r=0, a=0, b=0)
    (RLCT(lam=Fraction(2, 1), m=1), RLCT(lam=Fraction(3, 2), m=1))
    """
    inputs, hidden, outputs = symbols("M H N", integer=True, positive=True)
    rank, first, second = symbols("r a b", integer=True, nonnegative=True)
    rows, columns, middle = outputs - second, inputs - first, hidden - first - second + rank
    regular = inputs * second + outputs * first - first * second
    slope, most = middle + columns - rows, Min(middle, columns)
    least = Max(0, Min(floor(slope / 2), most))
    tied = And(Eq(slope % 2, 1), slope >= 1, slope + 1 <= 2 * most)
    return Formula(
        "reduced-rank regression at one factorisation",
        {
            inputs: "the number of inputs",
            hidden: "the width",
            outputs: "the number of outputs",
            rank: "the rank of BA",
            first: "the rank of A",
            second: "the rank of B",
        },
        (regular + middle * columns - slope * least + least**2) / 2,
        Piecewise((2, tied), (1, true)),
        And(
            first + second - hidden <= rank,
            rank <= first,
            rank <= second,
            first <= hidden,
            first <= inputs,
            second <= hidden,
            second <= outputs,
        ),
        cite("aoyagi-watanabe2005", "Main Theorem"),
    )


def deep_linear() -> Formula:
    """A deep linear network with L layers of one width H, at a true map of rank r.

    Source: Aoyagi 2024, Definition 3 and Theorem 2, for equal widths.

    >>> deep_linear().at(L=3, H=4, r=3)
    RLCT(lam=Fraction(8, 1), m=3)
    """
    layers, width = symbols("L H", integer=True, positive=True)
    rank = Symbol("r", integer=True, nonnegative=True)
    gap = width - rank
    total = (layers + 1) * gap
    rest = total - (ceiling(total / layers) - 1) * layers
    core = rest * (layers - rest) / (4 * layers) - (layers - 1) * total**2 / (4 * layers)
    pairs = layers * (layers + 1) * gap**2 / 4
    return Formula(
        "a deep linear network of one width",
        {layers: "the number of layers, two or more", width: "the width of all layers", rank: "the true rank"},
        rank * width - rank**2 / Rational(2) + Piecewise((core + pairs, Ne(gap, 0)), (0, true)),
        Piecewise((rest * (layers - rest) + 1, Ne(gap, 0)), (1, true)),
        And(layers >= 2, rank <= width),
        cite("aoyagi2024", "Definition 3 and Theorem 2"),
    )


def hidden_layer() -> Formula:
    """One input, H hidden units at zero, M outputs, derivatives of the activation of orders 1, 1 + Q, 1 + 2Q, …

    λ = (MQk(k + 1) + 2H)/(4(1 + kQ)), k the largest i with 2H ≥ M(i(i − 1)Q + 2i); m = 2 where they are equal. For
    tanh Q = 2.

    Source: Aoyagi 2009, restated in Aoyagi 2019, Section 4.

    >>> [hidden_layer().at(H=h, M=1, Q=2).lam for h in (1, 2, 3)]
    [Fraction(1, 2), Fraction(2, 3), Fraction(5, 6)]
    """
    hidden, outputs, gap = symbols("H M Q", integer=True, positive=True)
    last = floor((gap - 2 + sqrt((gap - 2) ** 2 + 8 * hidden * gap / outputs)) / (2 * gap))
    full = outputs * (last * (last - 1) * gap + 2 * last)
    return Formula(
        "hidden units at zero with one input",
        {hidden: "the number of hidden units", outputs: "the number of outputs", gap: "the gap between the orders"},
        (outputs * gap * last * (last + 1) + 2 * hidden) / (4 * (1 + last * gap)),
        Piecewise((2, And(last >= 1, Eq(2 * hidden, full))), (1, true)),
        true,
        cite("aoyagi2019", "Section 4"),
    )
