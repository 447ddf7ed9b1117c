"""Germs of ideals at a point: polynomials in the local ring, real fields, ranks and symmetries."""
