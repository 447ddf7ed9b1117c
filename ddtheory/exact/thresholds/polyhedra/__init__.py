"""Newton polyhedra: faces, fans, the programme behind λ, zeros of face polynomials in the torus."""
