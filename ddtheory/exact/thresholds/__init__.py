"""Real log canonical thresholds: ideals, Newton polyhedra, the table of rules, the solver and its derivations."""
