"""`python -m ddtheory.verify.mutants`."""

if __name__ == "__main__":  # every child process reads this file, and needs nothing of what stands below
    from ddtheory.verify.mutants.command import main

    main(prog_name="python -m ddtheory.verify.mutants")
