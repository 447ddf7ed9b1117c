"""Reading a frozen checkpoint: what a directional reading of a trained network says, and what it cannot say.

Elsewhere in the book: orders do not add up to a coefficient (register:D1), the kernel of a LayerNorm and that there is
none of an RMSNorm (prop:ln_kernel, prop:rmsnorm_no_kernel), the bottom of A ⊗ G (cor:kfac_lift).
"""
