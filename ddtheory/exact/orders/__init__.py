"""Orders of vanishing along rays and arcs, with a proof: power series, flatness, symbolic exponents, valuations."""
