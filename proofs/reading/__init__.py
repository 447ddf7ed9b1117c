"""Reading a frozen checkpoint: what a directional reading of a trained network says, and what it cannot say.

Three objections were raised against the read (by a referee of Shirodkar 2026, Measuring Dead Directions). That an order
is the same in every basis was asserted: it is derived in read:any_basis, with the axis that is kept as the control.
That a detector isolates the exact locus had no verification: read:joint_death and read:ray_and_orbit show two that do
not, one layer at a time and along straight rays; what they are replaced by is held to networks in which everything is
planted, detector by detector, at sizes of weight from 0 to 0.1 (tests/reads/test_reads_planted.py). That orders are
assembled to (λ, m), and not circularly: orders do not add up to a coefficient (register:D1), and near a checkpoint an
order needs a price beside it (read:repaired_point, read:two_sided); `reads.assemble` takes the local ideal from ranks
of the weights, no reading enters, and its pair must lie in the bracket that the Jacobian and the gauges make
(tests/reads/test_assembly.py). Elsewhere in the book: orders do not add up to a coefficient (register:D1), the kernel
of a LayerNorm and that there is none of an RMSNorm (prop:ln_kernel, prop:rmsnorm_no_kernel), the bottom of A ⊗ G
(cor:kfac_lift).
"""
