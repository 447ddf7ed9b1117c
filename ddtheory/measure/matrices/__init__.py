"""The Fisher as matrices: Gram factors, Kronecker factors, spectra, Schur complements."""
