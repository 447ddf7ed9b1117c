"""One bibliography: the works that rules, cells, claims and docstrings rest on, cited by key and to the place.

`cite("lin2011", "Proposition 4.5")` is the one way to quote a work of the table. The place is the statement, or the
section where a statement has no number; a whole chapter is refused, because nobody can check a step against it. A
place that was not compared with the text of the work, its contents, or a quotation of it, is cited with
`verified=False` and printed with a dagger. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ddtheory.errors import InvalidValueError, shown, unknown
from ddtheory.shown import Shown
from ddtheory.values import Citation

_CHAPTER = re.compile(r"(?:chapters?|ch\.)\s*[\dIVX]+", re.IGNORECASE)


@dataclass(frozen=True, repr=False)
class Work(Shown):
    """A book, a paper or a program.

    Attributes:
        authors: "Family, Given", in the order of the title page; "others" ends a list that is cut short.
        year: of publication; for a preprint, of its first version.
        title: as printed.
        venue: journal with volume and pages, publisher, school, or "preprint".
        identifier: "doi:…" or "arXiv:…"; empty when the work has none that we could check.
        called: the start of the title, where authors and year do not tell two works apart.
    """

    authors: tuple[str, ...]
    year: int
    title: str
    venue: str
    identifier: str = ""
    called: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.families:
            raise InvalidValueError(f"The work {shown(self.title)} has no author.")

    @property
    def families(self) -> tuple[str, ...]:
        """The family names of the authors."""
        return tuple(author.split(",")[0] for author in self.authors if author != "others")

    @property
    def by(self) -> str:
        """Authors and year; up to three authors are named."""
        families = self.families
        if len(self.authors) > 3 or "others" in self.authors:
            return f"{families[0]} et al. {self.year}"
        return " and ".join([*([", ".join(families[:-1])] if families[:-1] else []), families[-1]]) + f" {self.year}"

    @property
    def name(self) -> str:
        """How running text calls the work.

        >>> WORKS["aoyagi-watanabe2005"].name, WORKS["lau2025"].name, WORKS["shirodkar2026dead"].name
        ('Aoyagi and Watanabe 2005', 'Lau et al. 2025', 'Shirodkar 2026, Dead Directions')
        """
        return f"{self.by}, {self.called}" if self.called else self.by

    def __str__(self) -> str:
        """The entry of a list of works.

        >>> print(WORKS["varchenko1976"])   # doctest: +NORMALIZE_WHITESPACE
        Varchenko 1976, “Newton polyhedra and estimation of oscillating integrals”,
        Functional Analysis and Its Applications 10:175–196
        """
        return ", ".join(part for part in (self.by, f"“{self.title}”", self.venue, self.identifier) if part)

    def rows(self) -> Mapping[str, str]:
        found = {"work": self.name, "title": self.title, "in": self.venue, "identifier": self.identifier}
        return {name: text for name, text in found.items() if text}


def cite(key: str, place: str, *, verified: bool = True) -> Citation:
    """The citation of a place in a work of the table.

    Args:
        key: a key of `WORKS`.
        place: the statement, or the section where it has no number.
        verified: whether the place was compared with the text of the work, its contents, or a quotation of it.

    Raises:
        UnknownNameError: there is no such key.
        InvalidValueError: the place is empty, or a whole chapter.

    >>> str(cite("watanabe2009", "Theorem 6.7"))
    'Watanabe 2009, Theorem 6.7'
    """
    if not isinstance(key, str) or key not in WORKS:
        raise unknown("work", key, WORKS)
    if not isinstance(place, str):
        raise InvalidValueError(f"The place in {key!r} is {shown(place)}; give text, as in 'Theorem 1'.")
    place = str.__str__(place)  # not what a subclass makes of itself
    if not place.strip():
        raise InvalidValueError(f"The citation of {key!r} names no place. Name the theorem, or the section.")
    if _CHAPTER.fullmatch(place.strip()):
        raise InvalidValueError(
            f"{place!r} of {key!r} is a whole chapter, against which no step can be checked. Name the theorem, or add "
            "the subject and verified=False."
        )
    work = WORKS[key]
    return Citation(work.name, place, work.identifier, key, verified)


def bibtex() -> str:
    """The whole table for LaTeX, one @misc entry a work, with journal and pages as `howpublished`.

    >>> start = bibtex().index("@misc{agv1985,")
    >>> print(bibtex()[start:bibtex().index("@", start + 1)].rstrip())
    @misc{agv1985,
      author = {Arnold, Vladimir I. and Gusein-Zade, Sabir M. and Varchenko, Alexander N.},
      title = {Singularities of Differentiable Maps, Volume I},
      year = {1985},
      howpublished = {Birkhäuser, Monographs in Mathematics 82},
      doi = {10.1007/978-1-4612-5154-5},
    }
    """
    return "\n".join(_entry(key, work) for key, work in sorted(WORKS.items()))


def _entry(key: str, work: Work) -> str:
    fields = {
        "author": " and ".join(work.authors),
        "title": work.title,
        "year": str(work.year),
        "howpublished": work.venue,
    }
    scheme, _, identifier = work.identifier.partition(":")
    if scheme == "arXiv":
        fields |= {"eprint": identifier, "archiveprefix": "arXiv"}
    elif scheme:
        fields |= {"doi": identifier}
    return "\n".join([f"@misc{{{key},", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}", ""])


WORKS: MappingProxyType[str, Work] = MappingProxyType(
    {
        "abeasis-delfra1985": Work(
            ("Abeasis, Silvana", "Del Fra, Alberto"),
            1985,
            "Degenerations for the representations of a quiver of type A_m",
            "Journal of Algebra 93:376–412",
        ),
        "agv1985": Work(
            ("Arnold, Vladimir I.", "Gusein-Zade, Sabir M.", "Varchenko, Alexander N."),
            1985,
            "Singularities of Differentiable Maps, Volume I",
            "Birkhäuser, Monographs in Mathematics 82",
            "doi:10.1007/978-1-4612-5154-5",
        ),
        "agv1988": Work(
            ("Arnold, Vladimir I.", "Gusein-Zade, Sabir M.", "Varchenko, Alexander N."),
            1988,
            "Singularities of Differentiable Maps, Volume II: Monodromy and Asymptotics of Integrals",
            "Birkhäuser, Monographs in Mathematics 83",
        ),
        "aoyagi2009": Work(
            ("Aoyagi, Miki",),
            2009,
            "Log canonical threshold of Vandermonde matrix type singularities and generalization error of a three "
            "layered neural network in Bayesian estimation",
            "International Journal of Pure and Applied Mathematics 52:177–204",
        ),
        "aoyagi2010": Work(
            ("Aoyagi, Miki",),
            2010,
            "Stochastic complexity and generalization error of a restricted Boltzmann machine in Bayesian estimation",
            "Journal of Machine Learning Research 11:1243–1272",
        ),
        "aoyagi2019": Work(
            ("Aoyagi, Miki",),
            2019,
            "Learning coefficient of Vandermonde matrix-type singularities in model selection",
            "Entropy 21:561",
            "doi:10.3390/e21060561",
        ),
        "aoyagi2024": Work(
            ("Aoyagi, Miki",),
            2024,
            "Consideration on the learning efficiency of multiple-layered neural networks with linear units",
            "Neural Networks 172:106132",
            "doi:10.1016/j.neunet.2024.106132",
        ),
        "aoyagi-watanabe2005": Work(
            ("Aoyagi, Miki", "Watanabe, Sumio"),
            2005,
            "Stochastic complexities of reduced rank regression in Bayesian estimation",
            "Neural Networks 18:924–933",
            "doi:10.1016/j.neunet.2005.03.014",
        ),
        "basu-pollack-roy2006": Work(
            ("Basu, Saugata", "Pollack, Richard", "Roy, Marie-Françoise"),
            2006,
            "Algorithms in Real Algebraic Geometry, second edition",
            "Springer",
            "doi:10.1007/3-540-33099-2",
        ),
        "chen2023": Work(
            ("Chen, Zhongtian", "Lau, Edmund", "Mendel, Jake", "Wei, Susan", "Murfet, Daniel"),
            2023,
            "Dynamical versus Bayesian phase transitions in a toy model of superposition",
            "preprint",
            "arXiv:2310.06301",
        ),
        "davidson-szarek2001": Work(
            ("Davidson, Kenneth R.", "Szarek, Stanisław J."),
            2001,
            "Local operator theory, random matrices and Banach spaces",
            "Handbook of the Geometry of Banach Spaces 1:317–366",
            "doi:10.1016/S1874-5849(01)80010-3",
        ),
        "ddtheory2026": Work(("ddtheory",), 2026, "Derived here", "this package"),
        "deconcini-procesi1995": Work(
            ("De Concini, Corrado", "Procesi, Claudio"),
            1995,
            "Wonderful models of subspace arrangements",
            "Selecta Mathematica 1:459–494",
            "doi:10.1007/BF01589496",
        ),
        "docampo2013": Work(
            ("Docampo, Roi",),
            2013,
            "Arcs on determinantal varieties",
            "Transactions of the American Mathematical Society 365, preprint arXiv:1011.1930",
            "doi:10.1090/S0002-9947-2012-05564-4",
        ),
        "drton2017": Work(
            ("Drton, Mathias", "Lin, Shaowei", "Weihs, Luca", "Zwiernik, Piotr"),
            2017,
            "Marginal likelihood and model selection for Gaussian latent tree and forest models",
            "Bernoulli 23:1202–1232",
            "arXiv:1412.8285",
        ),
        "drton-plummer2017": Work(
            ("Drton, Mathias", "Plummer, Martyn"),
            2017,
            "A Bayesian information criterion for singular models",
            "Journal of the Royal Statistical Society B 79:323–380",
            "doi:10.1111/rssb.12187",
        ),
        "elhage2022": Work(
            ("Elhage, Nelson", "others"), 2022, "Toy models of superposition", "preprint", "arXiv:2209.10652"
        ),
        "flegal-jones2010": Work(
            ("Flegal, James M.", "Jones, Galin L."),
            2010,
            "Batch means and spectral variance estimators in Markov chain Monte Carlo",
            "Annals of Statistics 38:1034–1070",
            "doi:10.1214/09-AOS735",
        ),
        "gianni1988": Work(
            ("Gianni, Patrizia", "Trager, Barry", "Zacharias, Gail"),
            1988,
            "Gröbner bases and primary decomposition of polynomial ideals",
            "Journal of Symbolic Computation 6:149–167",
        ),
        "halko-martinsson-tropp2011": Work(
            ("Halko, Nathan", "Martinsson, Per-Gunnar", "Tropp, Joel A."),
            2011,
            "Finding structure with randomness: probabilistic algorithms for constructing approximate matrix "
            "decompositions",
            "SIAM Review 53:217–288",
            "doi:10.1137/090771806",
        ),
        "hayashi2021": Work(
            ("Hayashi, Naoki",),
            2021,
            "The exact asymptotic form of Bayesian generalization error in latent Dirichlet allocation",
            "Neural Networks",
            "arXiv:2008.01304",
        ),
        "hayashi-watanabe2017": Work(
            ("Hayashi, Naoki", "Watanabe, Sumio"),
            2017,
            "Upper bound of Bayesian generalization error in non-negative matrix factorization",
            "Neurocomputing 266:21–28",
            "doi:10.1016/j.neucom.2017.04.068",
        ),
        "hironaka1964": Work(
            ("Hironaka, Heisuke",),
            1964,
            "Resolution of singularities of an algebraic variety over a field of characteristic zero",
            "Annals of Mathematics 79:109–203 and 205–326",
            "doi:10.2307/1970486",
        ),
        "howald2001": Work(
            ("Howald, Jason A.",),
            2001,
            "Multiplier ideals of monomial ideals",
            "Transactions of the American Mathematical Society 353:2665–2671",
        ),
        "johnson2003": Work(
            ("Johnson, Amanda",),
            2003,
            "Multiplier ideals of determinantal ideals",
            "thesis, University of Michigan",
        ),
        "khovanskii1977": Work(
            ("Khovanskii, Askold G.",),
            1977,
            "Newton polyhedra and toroidal varieties",
            "Functional Analysis and Its Applications 11:289–296",
        ),
        "kosta-windisch2024": Work(
            ("Kosta, Dimitra", "Windisch, Daniel"),
            2024,
            "Classification of real hyperplane singularities by real log canonical thresholds",
            "preprint",
            "arXiv:2411.13392",
        ),
        "kurumadani2024": Work(
            ("Kurumadani, Yuki",), 2024, "Learning coefficients in semi-regular models", "preprint", "arXiv:2406.02646"
        ),
        "kurumadani2026": Work(
            ("Kurumadani, Yuki",),
            2026,
            "Upper bounds for local learning coefficients of three-layer neural networks",
            "preprint",
            "arXiv:2603.12785",
        ),
        "lau2025": Work(
            ("Lau, Edmund", "Furman, Zach", "Wang, George", "Murfet, Daniel", "Wei, Susan"),
            2025,
            "The local learning coefficient: a singularity-aware complexity measure",
            "Proceedings of Machine Learning Research 258:244–252",
            "arXiv:2308.12108",
        ),
        "levine2026": Work(
            ("Levine, Lionel",),
            2026,
            "Math for AI Safety: An Invitation for Mathematicians",
            "with a registry of open problems in the repository lionellevine/MAIS on GitHub",
        ),
        "lin2011": Work(
            ("Lin, Shaowei",),
            2011,
            "Algebraic methods for evaluating integrals in Bayesian statistics",
            "thesis, University of California, Berkeley",
        ),
        "mccallum1993": Work(
            ("McCallum, Scott",),
            1993,
            "Solving polynomial strict inequalities using cylindrical algebraic decomposition",
            "The Computer Journal 36:432–438",
        ),
        "motzkin1953": Work(
            ("Motzkin, Theodore S.", "Raiffa, Howard", "Thompson, Gerald L.", "Thrall, Robert M."),
            1953,
            "The double description method",
            "Contributions to the Theory of Games 2:51–73",
        ),
        "mustata2006": Work(
            ("Mustață, Mircea",),
            2006,
            "Multiplier ideals of hyperplane arrangements",
            "Transactions of the American Mathematical Society 358:5015–5023",
            "arXiv:math/0402232",
        ),
        "pepin-rimanyi2024": Work(
            ("Pepin Lehalleur, Simon", "Rimányi, Richárd"),
            2024,
            "Geometry of fibers of the multiplication map of deep linear neural networks",
            "preprint",
            "arXiv:2411.19920",
        ),
        "register2026": Work(
            ("ddtheory",),
            2026,
            "The claims of Dead Directions: statements, tensions and doubts",
            "working notes of this package",
            called="claims register",
        ),
        "rusakov-geiger2005": Work(
            ("Rusakov, Dmitry", "Geiger, Dan"),
            2005,
            "Asymptotic model selection for naive Bayesian networks",
            "Journal of Machine Learning Research 6:1–35",
        ),
        "saito1980": Work(
            ("Saito, Kyoji",),
            1980,
            "Theory of logarithmic differential forms and logarithmic vector fields",
            "Journal of the Faculty of Science, University of Tokyo, Section IA 27:265–291",
        ),
        "shirodkar2026conditioners": Work(
            ("Shirodkar, Tejas Pradeep",),
            2026,
            "Dead-Direction Conditioners: Gauge-Equivariant Preconditioning for Deep Networks",
            "preprint",
            "arXiv:2606.29176",
            "Dead-Direction Conditioners",
        ),
        "shirodkar2026dead": Work(
            ("Shirodkar, Tejas Pradeep",),
            2026,
            "Dead Directions: Geometric Singular Learning",
            "preprint",
            "arXiv:2606.05957",
            "Dead Directions",
        ),
        "shirodkar2026measuring": Work(
            ("Shirodkar, Tejas Pradeep",),
            2026,
            "Measuring Dead Directions: Decomposing and Classifying Singular Structure off Canonical Alignment",
            "preprint",
            "arXiv:2607.00603",
            "Measuring Dead Directions",
        ),
        "shirodkar-narayanan2026layernorm": Work(
            ("Shirodkar, Tejas Pradeep", "Narayanan, P. J."),
            2026,
            "Algebraic Dead Directions in LayerNorm Transformers: A Forward-Pass-Only Diagnostic at LLM Scale",
            "preprint",
            "arXiv:2606.19491",
            "Algebraic Dead Directions",
        ),
        "shirodkar-narayanan2026signatures": Work(
            ("Shirodkar, Tejas Pradeep", "Narayanan, P. J."),
            2026,
            "Dead-Direction Signatures: A Cheap Spectral Reading of Singular Complexity",
            "preprint",
            "arXiv:2606.21158",
            "Dead-Direction Signatures",
        ),
        "trefethen2008": Work(
            ("Trefethen, Lloyd N.",),
            2008,
            "Is Gauss quadrature better than Clenshaw–Curtis?",
            "SIAM Review 50:67–87",
            "doi:10.1137/060659831",
        ),
        "trefethen-weideman2014": Work(
            ("Trefethen, Lloyd N.", "Weideman, J. A. C."),
            2014,
            "The exponentially convergent trapezoidal rule",
            "SIAM Review 56:385–458",
            "doi:10.1137/130932132",
        ),
        "varchenko1976": Work(
            ("Varchenko, Alexander N.",),
            1976,
            "Newton polyhedra and estimation of oscillating integrals",
            "Functional Analysis and Its Applications 10:175–196",
        ),
        "watanabe2009": Work(
            ("Watanabe, Sumio",),
            2009,
            "Algebraic Geometry and Statistical Learning Theory",
            "Cambridge University Press",
            "doi:10.1017/CBO9780511800474",
        ),
        "ziegler1995": Work(
            ("Ziegler, Günter M.",),
            1995,
            "Lectures on Polytopes",
            "Springer, Graduate Texts in Mathematics 152",
            "doi:10.1007/978-1-4613-8431-1",
        ),
        "ztreisman2026arcllc": Work(
            ("ztreisman",),
            2026,
            "arc-llc: estimators of the RLCT and the local learning coefficient on models with known values",
            "program, github.com/ztreisman/arc-llc at commit 71eadfd",
            called="arc-llc",
        ),
        "zwiernik2011": Work(
            ("Zwiernik, Piotr",),
            2011,
            "An asymptotic behaviour of the marginal likelihood for general Markov models",
            "Journal of Machine Learning Research 12:3283–3310",
            "arXiv:1012.0753",
        ),
    }
)
"""The works by key. Add one together with its first citation: a test asks that each is cited."""


def __dir__() -> list[str]:
    """The names that are public; what they are made with is not."""
    return ["WORKS", "Work", "bibtex", "cite"]
