"""thm:multilayer-A: the ladder of the activation factors, and what live mixing may change."""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.inequality import attained_check
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

t, layer = Symbol("t", positive=True), Symbol("l", integer=True, positive=True)

_LAYERS, _WIDTH = 4, 4
_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(8))


def rate(number: Expr | int) -> Expr:
    """The rate of the dead entry of A_l, that of l − 1 layers."""
    return 2 * (number - 1)


def limiting(square: Expr | float) -> Expr | float:
    """The limit of the statement from the squared length of the dead row of M⁻¹: one over it."""
    return 1 / square


CLAIM = Claim(
    id="thm:multilayer-A",
    title="Ladder of the activation factors across layers",
    given=r"Let $A_l$ be the activation factor of the input of layer $l$, $0 < t \le 1$.",
    clauses={
        "ladder": rf"It carries ${printed(t ** rate(layer))}$ at the dead unit, its smallest eigenvalue.",
        "squeeze": (
            r"Behind a map $M$: $\sigma_{\min}^2(M)\,\sigma_{\min}^2(D^p) \le \sigma_{\min}^2(M D^p) \le "
            r"\sigma_{\max}^2(M)\,\sigma_{\min}^2(D^p)$."
        ),
        "constant": (
            rf"$\sigma_{{\min}}^2(M D^p)/t^{{2p}} \to {printed(limiting(Symbol('r')))}$, $r$ the squared length of "
            "the dead row of $M^{-1}$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:multilayer-A"),
    hypotheses=(
        "E xxᵀ = I, or of full rank.",
        "Every mixing map is invertible, and maps between layers keep the dead axis.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("cor:sigma-min",),
    doubts=(
        "cor:sigma-min counts layers passed, this result counts the layer whose input is read; the two differ by "
        "one. Here A_l always belongs to the input of layer l."
    ),
)


def derive() -> Proof:
    x, y, s = symbols("x y s", real=True)
    mixing = sympy.Matrix(2, 2, symbols("m_11 m_12 m_21 m_22", real=True))
    below_one = Symbol("w", nonnegative=True)
    graded = sympy.diag(1, t**layer) * sympy.Matrix([x, y])
    image = mixing * graded
    moment = sympy.diag(1, t ** (layer - 1)) * sympy.diag(1, t ** (layer - 1)).T

    # M = diag(m, m + e) times a rotation, in the basis of its singular vectors; tan of half the angle is q
    m, e = symbols("m e", positive=True)
    q, first, second = symbols("q u v", real=True)
    turned = sympy.Matrix([[1 - q**2, -2 * q], [2 * q, 1 - q**2]]) * sympy.Matrix([first, second]) / (1 + q**2)
    stretched = (m * turned[0]) ** 2 + ((m + e) * turned[1]) ** 2
    length, gain = first**2 + second**2, sympy.expand((m + e) ** 2 - m**2)

    # the squared σ_min of M D^p is one over the largest eigenvalue of D^{−p} (MᵀM)^{−1} D^{−p}, times t^{2p}: its limit
    power = symbols("p", positive=True)  # t^p
    product = mixing * sympy.diag(1, power)
    inverse = (product.T * product).inv()
    row = mixing.inv()[1, :]
    small = 1 / (1 + below_one)
    return Proof(
        "Two channels; M symbolic, in the squeeze with free singular values and rotation; exponents symbolic.",
        (
            Equation(
                "ladder",
                "the input of layer l has passed l − 1 layers",
                moment[1, 1],
                t ** rate(layer),
                {"the output of the layer": t ** (2 * layer), "l − 1": t ** (layer - 1)},
            ),
            AtMost(
                "ladder",
                "it is the smallest entry, with t^{2(l−1)} = 1/(1 + w)",
                small,
                moment[0, 0],
                (sympy.factor(1 - small),),
                {below_one: 0},
            ),
            Equation(
                "squeeze",
                "the form of M on D^p v, less s² |D^p v|²",
                image.dot(image) - s**2 * graded.dot(graded),
                (graded.T * (mixing.T * mixing - s**2 * sympy.eye(2)) * graded)[0],
                {"M Mᵀ": (graded.T * (mixing * mixing.T - s**2 * sympy.eye(2)) * graded)[0]},
            ),
            AtMost(
                "squeeze",
                "lower end: σ_min² |u|² and |Mu|²",
                m**2 * length,
                stretched,
                (gain * turned[1] ** 2,),
                {m: 1, e: 1, q: 0, first: 1, second: 0},
                {"the mean of the singular values": ((m + e / 2) ** 2 * length, stretched)},
            ),
            AtMost(
                "squeeze",
                "upper end: |Mu|² and σ_max² |u|²",
                stretched,
                (m + e) ** 2 * length,
                (gain * turned[0] ** 2,),
                {m: 1, e: 1, q: 0, first: 0, second: 1},
                {"the mean of the singular values": (m + e / 2) ** 2 * length},
            ),
            Equation(
                "constant",
                "t^{2p} times the inverse of (M D^p)ᵀ(M D^p) at t = 0: its dead entry is the squared dead row of "
                "M⁻¹, the others vanish",
                (inverse * power**2).applyfunc(lambda entry: sympy.cancel(entry).subs(power, 0)),
                sympy.diag(0, 1 / limiting(row.dot(row))),
                {
                    "the dead column of M⁻¹": sympy.diag(0, mixing.inv()[:, 1].dot(mixing.inv()[:, 1])),
                    "one over the squared dead column of M": sympy.diag(0, 1 / mixing[:, 1].dot(mixing[:, 1])),
                },
            ),
        ),
    )


def _smallest(layer_number: int, mixing: list[object], radius: float) -> float:
    """λ⁺ of A_l with a map M_j behind each canonical layer j."""
    import torch

    from ddtheory.measure import activation_gram

    weights = [torch.as_tensor(m) @ canonical(radius, _WIDTH) for m in mixing]
    return activation_gram(chain_problem(weights), str(layer_number)).spectrum().smallest_positive


def _live_maps(seed: int) -> list[object]:
    """Well-conditioned maps of the live axes that leave the dead one alone, one a layer."""
    import torch

    maps: list[object] = []
    for number in range(_LAYERS):
        whole = torch.eye(_WIDTH, dtype=torch.float64)
        stretch = torch.diag(torch.linspace(0.8, 1.5, _WIDTH - 1, dtype=torch.float64))
        turn, back = (random_rotation(_WIDTH - 1, seed + 10 * number + k) for k in (0, 1))
        whole[:-1, :-1] = turn @ stretch @ back
        maps.append(whole)
    return maps


def _squeeze(largest: bool) -> Check:
    """λ⁺ of M D³ against σ_min²(M) t⁶ or σ_max²(M) t⁶, where M stretches the dead axis least or most."""
    import torch

    radius = _RADII[0]
    stretch = torch.linspace(0.5, 2.0, _WIDTH, dtype=torch.float64)
    mixing = random_rotation(_WIDTH, 3) @ torch.diag(stretch if largest else stretch.flip(0))
    plain = torch.eye(_WIDTH, dtype=torch.float64)
    found = _smallest(4, [plain, plain, mixing, plain], radius)
    ends = [float(value) ** 2 * radius**6 for value in torch.linalg.svdvals(mixing)]
    name = "λ⁺ over σ_max²(M) t⁶" if largest else "σ_min²(M) t⁶ over λ⁺"
    return attained_check(
        f"M stretches the dead axis {'most' if largest else 'least'}: {name}",
        found / ends[0] if largest else ends[-1] / found,
        reason="rounding",
        error=1e-6,
    )


def measure() -> Experiment:
    import torch

    ladder: list[Check] = []
    curves: list[Curve] = []
    plain: list[object] = [torch.eye(_WIDTH, dtype=torch.float64)] * _LAYERS
    for number in range(1, _LAYERS + 1):
        for name, maps in (("canonical", plain), ("live mixing", _live_maps(5))):
            values = [_smallest(number, maps, radius) for radius in _RADII]
            ladder.append(
                rate_check(f"{name}: A of layer {number}", rate(number), _RADII, values, rivals=(2 * number,))
            )
            curves.append(Curve(f"{name}, layer {number}", _RADII, tuple(values), float(rate(number))))
    # one general well-conditioned map at the end of the canonical part
    general = random_rotation(_WIDTH, 1) @ torch.diag(torch.linspace(0.5, 2.0, _WIDTH, dtype=torch.float64))
    general = general @ random_rotation(_WIDTH, 2)
    maps = [*plain[:2], general, plain[3]]
    values = [_smallest(4, maps, radius) for radius in _RADII]
    constant: list[Check] = [rate_check("a general map behind three layers", 6, _RADII, values)]
    scaled = [value / radius**6 for radius, value in zip(_RADII, values, strict=True)]
    row = torch.linalg.inv(general)[-1]
    constant.append(
        limit_check(
            "its constant: one over the squared dead row of the inverse map",
            limiting(float(row.square().sum())),
            _RADII,
            scaled,
            rivals=(0.25, 4, 1),
        )
    )
    return Experiment(
        f"Torch linear chains of L = {_LAYERS} layers and width {_WIDTH}, E xxᵀ = I; A_l is that of the input of "
        "layer l.",
        {"ladder": ladder, "squeeze": [_squeeze(False), _squeeze(True)], "constant": constant},
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    from ddtheory.measure import activation_gram

    singular = torch.eye(_WIDTH, dtype=torch.float64)
    singular[0, 0] = 0.0
    spectrum = activation_gram(chain_problem([singular @ canonical(0.05, _WIDTH)] * 3), "3").spectrum()
    haar = [random_rotation(_WIDTH, 20 + number) for number in range(_LAYERS)]
    axis = []
    for radius in _RADII:
        problem = chain_problem([turn @ canonical(radius, _WIDTH) for turn in haar])
        axis.append(activation_gram(problem, "4").entry(_WIDTH - 1))
    return Experiment(
        "A map with a zero singular value makes an exact zero that no t explains; a map that turns the dead axis "
        "into the live ones leaves nothing of the ladder on the axis. A map to fewer channels, which drops the dead "
        "one, leaves a smallest singular value above the upper end.",
        {
            "squeeze": (
                value_check(
                    "the dead channel dropped behind three layers, t = 0.05: smallest eigenvalue",
                    1,
                    _dropped(),
                    rivals=(0.05**6,),
                    reason="rounding; the rival is the upper end σ_max²(M) t⁶, σ_max(M) = 1",
                    quantity="eigenvalue",
                ),
            ),
            "constant": (
                count_check(
                    "singular map: zero eigenvalues",
                    1,
                    spectrum.zeros,
                    rivals=(0, 2),
                    reason="rank of the map, at every t",
                ),
                value_check(
                    "singular map: smallest positive eigenvalue, t = 0.05",
                    0.05**4,
                    spectrum.smallest_positive,
                    rivals=(0.05**6, 1.0),
                    quantity="eigenvalue",
                ),
            ),
            "ladder": (
                rate_check("Haar maps: dead axis of A_4", 0, _RADII, axis, rivals=(6,)),
                rate_check("t > 1: smallest eigenvalue of A_3 in 1/t", 0, _RADII, _above_one(), rivals=(-4, 4)),
            ),
        },
    )


def _dropped() -> float:
    """λ⁺ behind three canonical layers and the map that drops the dead channel."""
    import torch

    from ddtheory.measure import activation_gram

    fewer = torch.eye(_WIDTH, dtype=torch.float64)[:-1]
    layers = [canonical(_RADII[0], _WIDTH)] * 2
    weights = [*layers, fewer @ canonical(_RADII[0], _WIDTH), torch.eye(_WIDTH - 1, dtype=torch.float64)]
    return activation_gram(chain_problem(weights), "4").spectrum().smallest_positive


def _above_one() -> list[float]:
    """λ⁺ of A_3 at 1/t: the roles change, and it is 1."""
    import torch

    plain: list[object] = [torch.eye(_WIDTH, dtype=torch.float64)] * _LAYERS
    return [_smallest(3, plain, 1 / radius) for radius in _RADII]
