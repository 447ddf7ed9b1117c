"""Real log canonical thresholds: ideals, Newton polyhedra, the table of rules, the solver and its derivations.

κ and λ. The rules work on ideals ⟨f_1 … f_s⟩, and κ is the threshold of an ideal: the smallest pole of
z ↦ ∫ (Σ|f_j|)^{−z} φ. The learning coefficient λ belongs to a divergence K ≥ 0: the smallest pole of z ↦ ∫ K^{−z} φ.
When K itself is the only generator, λ = κ. When K is known up to constants as the sum of squares of generators,
K ≍ Σ f_j², then λ = κ/2, because Σ f_j² ≍ (Σ|f_j|)². The multiplicity m, the order of that pole, is the same for both.
What a rule says of a germ is about κ; λ is that of the K that was asked for, and stands only in the first and last
lines of an explanation and at the top of a certificate.
"""
