"""Markdown tables from the kept results; `--write` puts them into README.md between its markers."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from page import markdown, put

README = Path(__file__).parent / "README.md"
RESULTS = Path(__file__).parent / "results"  # without the harness, which loads torch
TITLES = {
    "directional_fisher": "One radius and direction, in forward passes",
    "scaling": "Number of radii and of directions, in forward passes",
    "memory": "Peak memory above model and data, MiB",
    "startup": "Start-up of whole processes, seconds",
    "layers": "Kronecker factors and spectra of every layer",
    "encoder": "A sentence encoder that a package ships, in forward passes",
    "census": "The whole read of that encoder, beside an estimate of λ, in passes",
    "network_orders": "Derived orders against depth, seconds",
    "thresholds": "Learning coefficients",
    "hidden_germs": "Hidden germs: what `rlct` makes of a pair that is known",
    "ideals": "Ideals that were made for no rule",
    "trials": "Random trials against point blow-ups, and relations between pairs",
    "parameters": "Learning coefficients against the number of parameters, of generators and p",
    "finite_n_sweeps": "λ(nβ) over a grid, against its points one by one",
    "optimizers": "A step of an optimiser, in steps of AdamW",
    "signatures": "Signatures and an SGLD estimate, in training steps on all inputs",
    "directions": "Eight directions under `vmap`, in eight single derivatives",
    "fluctuation": "Digits of ν and of λ(nβ), processor seconds",
    "finite_n_equal_error": "λ(nβ) at equal error, processor seconds",
    "conformance": "Estimators of the learning coefficient on twelve cells",
}
MEBIBYTE = 2**20


def number(value: float) -> str:
    """Three digits for what is small, whole numbers for what is large."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def span(cost: dict[str, float] | None) -> str:
    """Median and range; the median alone where there was one round."""
    if not cost:
        return "–"
    middle = number(cost["median"])
    return middle if cost["min"] == cost["max"] else f"{middle} ({number(cost['min'])}–{number(cost['max'])})"


def directional_fisher(content: dict) -> str:
    names = {
        "derivative": "derivative alone",
        "radius": "**a radius of a profile**",
        "single": "one radius alone",
        "ggn": "GGN product",
        "loop": "gradient loop",
        "vmap": "vmap(grad)",
    }
    columns = ("model", "parameters", "direction", "forward, ms", "matrix products", *names.values())
    rows = [
        [
            row["model"],
            f"{row['parameters']:,}",
            row["direction"],
            number(1e3 * row["forward_seconds"]["median"]),
            f"{row['products']:.2f}",
            *(span(row["passes"].get(name)) for name in names),
        ]
        for row in content["rows"]
    ]
    return markdown(columns, rows)


def scaling(content: dict) -> str:
    rows = [
        [
            row["model"],
            f"{row['parameters']:,}",
            row["direction"],
            row["against"],
            ", ".join(f"{count}: {number(cost['median'])}" for count, cost in row["passes"].items()),
            number(row["fixed"]),
            number(row["one_more"]),
        ]
        for row in content["rows"]
    ]
    columns = ("model", "parameters", "direction", "number of", "cost at each number", "fixed", "one more")
    return markdown(columns, rows)


def memory(content: dict) -> str:
    names = list(content["rows"][0]["peak_bytes"])
    rows = [
        [
            row["model"],
            f"{row['size']:,}",
            *("–" if row["peak_bytes"][name] is None else number(row["peak_bytes"][name] / MEBIBYTE) for name in names),
        ]
        for row in content["rows"]
    ]
    return markdown(("model", "parameters, about", *names), rows)


def startup(content: dict) -> str:
    rows = [[row["process"], span(row["seconds"]), str(row["aim"] or "")] for row in content["rows"]]
    return markdown(("process", "median (min–max)", "aim"), rows)


def layers(content: dict) -> str:
    return "\n\n".join(
        [
            *(all_layers(row) for row in content["rows"]),
            *(powers(content[against], against) for against in ("depth", "width")),
            peaks(content["memory"]),
            against_twins(content["twins"]),
        ]
    )


def all_layers(row: dict) -> str:
    head = (
        f"{row['depth']} blocks of width {row['width']}, {row['parameters']:,} parameters, "
        f"{row['layers']} linear layers, {row['samples']} sequences of 16 tokens, rounds: {row['rounds']}. "
        f"Largest distance of two routes {row['agreement']['by_layer']:.0e}, "
        f"of the control {row['agreement']['control']:.0e}."
    )
    lines = [[name, span(row["seconds"][name]), span(cost)] for name, cost in row["steps"].items()]
    return f"{head}\n\n{markdown(('call', 'seconds', 'training steps'), lines)}"


def powers(found: dict, against: str) -> str:
    sizes = ", ".join(str(row[against]) for row in found["rows"])
    other = "width" if against == "depth" else "depth"
    head = (
        f"Exponents against {against} {sizes}, at {other} {found['rows'][0][other]} and {found['rows'][0]['samples']} "
        "sequences: fitted to seconds, and to the floating-point operations of matrix products, QR and singular "
        "values; limit is the exponent of the count as sizes grow without end."
    )
    lines = [
        [
            name,
            *(f"{cost[key]:.2f}" for key in ("fitted", "counted", "last_two", "counted_last_two")),
            str(cost["limit"]),
            " → ".join(number(1e3 * row["seconds"][name]["median"]) for row in found["rows"]),
        ]
        for name, cost in found["exponents"].items()
    ]
    columns = ("call", "fitted", "counted", "fitted, last two", "counted, last two", "limit", "milliseconds")
    return f"{head}\n\n{markdown(columns, lines)}"


def peaks(found: dict) -> str:
    lines = [[name, number(peak / MEBIBYTE)] for name, peak in found["peak_bytes"].items()]
    head = f"Peak memory above model and data, {found['depth']} blocks of width {found['width']}."
    return f"{head}\n\n{markdown(('call', 'MiB'), lines)}"


def against_twins(found: dict) -> str:
    lines = [
        [
            f"Fisher of {found['fisher_parameters']} parameters",
            span(found["dense_over_factor"]["Fisher"]),
            f"{found['fisher_disagreement']:.0e}",
        ],
        [
            f"eigenvalues of A ⊗ G, size {found['product_size']}",
            span(found["dense_over_factor"]["A ⊗ G"]),
            f"{found['product_disagreement']:.0e}",
        ],
    ]
    graded = found["graded"]
    tail = (
        f"An eigenvalue that is {graded['exact']:.4e} exactly: {graded['singular_values']:.4e} by singular values of "
        f"the factor, {graded['dense']:.1e} by eigenvalues of the Gram that is formed."
    )
    columns = ("quantity", "time of the dense twin / of the factor", "relative disagreement")
    return f"Factor against dense twin.\n\n{markdown(columns, lines)}\n\n{tail}"


def network_orders(content: dict) -> str:
    lines = [
        [
            row["kind"],
            ", ".join(f"{depth}: {cost['median']:.3f}" for depth, cost in row["seconds"].items()),
            f"{row['fitted']:.2f}",
            f"{row['last_two']:.2f}",
            str(row["limit"]),
        ]
        for row in content["rows"]
    ]
    return markdown(("network", "seconds at each depth", "fitted exponent", "last two", "theory"), lines)


def thresholds(content: dict) -> str:
    germs = [
        [
            f"{line['system']} {content['systems'].get(line['system'], '')}".strip() + again,
            f"{line['solved']} of {line['germs']}",
            str(line["wrong"]),
            number(1e3 * line["seconds"]["median"]),
            number(1e3 * line["start_up"]) if "start_up" in line else "–",  # results of before had none
            span(line["times_ddtheory"]),
            span(line.get("times_with_start_up")),
            f"{line['faster_than_ddtheory']} of {line['both']}",
            f"{line['limit']:g}",
            "–" if line["load"] is None else f"{line['load']:g}",
        ]
        for again, lines in (("", content["summary"]), (", again", content.get("again", [])))
        for line in lines
    ]
    columns = (
        "system",
        "solved",
        "wrong",
        "median of the solved, ms",
        "start-up, ms",
        "times ddtheory, where both solve",
        "with start-up",
        "faster than ddtheory",
        "limit, s",
        "load",
    )
    closed = [
        [f"{row['ideal']}: {row['generators']} generators in {row['variables']} variables", *_aimed(row)]
        for row in content["monomials"]
    ] + [
        [f"deep linear, {row['layers']} layers, widths {row['widths']}, rank {row['rank']:,}", *_aimed(row)]
        for row in content["deep"]
    ]
    return f"{markdown(columns, germs)}\n\n{markdown(('problem', 'milliseconds', 'aim', 'met'), closed)}"


def _aimed(row: dict) -> list[str]:
    milliseconds = {key: 1e3 * value for key, value in row["seconds"].items()}
    met = row["seconds"]["median"] < row["aim"]
    return [span(milliseconds), f"{1e3 * row['aim']:.0f}", "yes" if met else "**no**"]


def conformance(content: dict) -> str:
    lines = [
        [
            report["estimator"],
            *(
                str(sum(cell["verdict"] == verdict for cell in report["cells"]))
                for verdict in ("agrees", "too wide", "biased", "failed")
            ),
        ]
        for report in content["reports"]
    ]
    table = markdown(("estimator", "agrees", "too wide", "biased", "failed"), lines)
    return f"{table}\n\nCell by cell, with what it says: [conformance.md](conformance.md)."


def optimizers(content: dict) -> str:
    names = [name for name in content["rows"][0]["steps_of_adamw"] if name != "AdamW"]
    rows = [
        [
            f"{row['parameters']:,}",
            str(row["gauges"]),
            number(1e3 * row["unit_seconds"]["median"]),
            *(span(row["steps_of_adamw"][name]) for name in names),
        ]
        for row in content["rows"]
    ]
    counts = [
        [f"{row['parameters']:,}", what, *(number(row["counted"][name][each]) for name in ("AdamW", *names[:-1]))]
        for row in content["rows"]
        for each, what in (("entries", "entries read and written"), ("products", "operations of matrix products"))
    ]
    return (
        markdown(("parameters", "gauges", "AdamW, ms", *names), rows)
        + "\n\nCounted, for each parameter:\n\n"
        + markdown(("parameters", "what", "AdamW", *names[:-1]), counts)
    )


def signatures(content: dict) -> str:
    columns = (
        *("test bed", "parameters", "samples", "training step, ms", "one layer", "all layers", "SGLD"),
        *("its estimate", "calibration", "λ", "standing"),
    )
    rows = []
    for row in content["rows"]:
        found = row.get("coefficient")
        told = ["–"] * 5
        if found is not None:
            estimate, calibration = (
                f"{value:.3g} ± {error:.1g}" for value, error in (found["estimate"], found["calibration"])
            )
            told = [
                number(row["coefficient_steps"]),
                estimate,
                f"{calibration} for {found['exact']:.3g}",
                " to ".join(dict.fromkeys(found["bracket"])),
                found["standing"],
            ]
        rows.append(
            [
                row["bed"],
                f"{row['parameters']:,}",
                f"{row['samples']:,}",
                number(1e3 * row["step_seconds"]["median"]),
                *(span(row["steps"][name]) for name in ("one layer", "all layers")),
                *told,
            ]
        )
    return markdown(columns, rows)


def encoder(content: dict) -> str:
    how = content["settings"]
    rows = [
        [
            row["what"],
            f"{row['seconds']['median']:.2f}",
            span(row["passes"]),
            number(row["memory"]) if row["memory"] else "–",
        ]
        for row in content["rows"]
    ]
    size = f"{content['parameters']:,} parameters, {content['layers']} linear layers, "
    batch = f"{how['samples']} sequences of {how['positions']} tokens, 8 random draws for G.\n\n"
    return size + batch + markdown(("what", "seconds", "forward passes", "peak above model and data, MiB"), rows)


def census(content: dict) -> str:
    rows = [
        [row["what"], f"{row['forward']:.0f}", f"{row['reverse']:.0f}", f"{row['seconds']:.0f}"]
        for row in content["rows"]
    ]
    read = content["rows"][0]
    said = ", ".join(f"{count} {verdict}" for verdict, count in content["verdicts"].items())
    how = content["settings"]
    size = (
        f"{content['parameters']:,} parameters, {how['sentences']} sentences of {content['tokens']} tokens in all, "
        f"n = {how['n']}. {content['surveyed']} candidates, {content['plainly_live']} plainly live, "
        f"{content['plainly_between']} plainly between; {said}; {content['gauges']} gauges; {content['bracket']}. "
        f"Peak of the process {read['peak, GiB']:.1f} GiB, {read['wall']:.0f} s by the clock.\n\n"
    )
    prices = [
        [f"{int(n):,}", f"{number:,}", f"{number * content['price']:.0f}"] for n, number in content["priced"].items()
    ]
    passes = markdown(("what", "forward passes", "reverse passes", "seconds"), rows)
    others = markdown(("n", "units priced by a forward pass", "seconds of that"), prices)
    return f"{size}{passes}\n\nAt other sample sizes, {content['price']:.3f} s a price:\n\n{others}"


def hidden_germs(content: dict) -> str:
    outcomes = ("exact", "bounds", "late", "refused", "wrong")
    columns = ("variables", "form", "hidden", "germs", *outcomes, "median, s", "95 %, s", "largest, s", "terms")
    rows = [
        [
            *(str(row[name]) for name in ("variables", "form", "hidden", "germs", *outcomes)),
            *(f"{row['seconds'][name]:.3f}" for name in ("median", "most", "max")),
            f"{row['terms']['median']:.0f} (≤ {row['terms']['max']:,})",
        ]
        for row in content["rows"]
    ]
    return markdown(columns, rows)


def ideals(content: dict) -> str:
    outcomes = ("exact", "bounds", "late", "refused", "wrong")
    columns = ("kind", "germs", *outcomes, "exact, %", "without certificate", "median, s", "95 %, s", "largest, s")
    rows = [
        [
            *(str(row[name]) for name in ("kind", "germs", *outcomes)),
            f"{100 * row['exact'] / row['germs']:.1f}",
            str(row["unwritten"]),
            *(f"{row['seconds'][name]:.3f}" for name in ("median", "most", "max")),
        ]
        for row in content["rows"]
    ]
    return markdown(columns, rows)


def trials(content: dict) -> str:
    columns = list(content["rows"][0])
    return markdown(
        columns, [[f"{v:,}" if type(v) is int else str(v) for v in row.values()] for row in content["rows"]]
    )


def parameters(content: dict) -> str:
    columns = ("kind", "field", "variables", "generators", "outcome", "derivation s", "certificate s")
    return markdown(columns, [[str(row[column]) for column in columns] for row in content["rows"]])


def directions(content: dict) -> str:
    rows = [[str(row["width"]), str(row["samples"]), span(row["vmap"])] for row in content["rows"]]
    return markdown(("width", "samples", "vmap"), rows)


def fluctuation(content: dict) -> str:
    rows = [
        [
            row["quantity"],
            str(row["digits"]),
            f"{row['seconds']:.2g}",
            f"{row['mpmath_seconds']:.2g}" if row["mpmath_seconds"] else "–",
        ]
        for row in content["rows"]
    ]
    found = content["sampler"]
    head = ", ".join(f"{name} {number}" for name, number in content["versions"].items())
    tail = (
        f"Metropolis on (xy)²: {found['estimate']:.4f} ± {found['standard_error']:.4f} for {found['exact']:.4f} in "
        f"{found['seconds']:.2g} s."
    )
    return f"{head}.\n\n{markdown(('quantity', 'digits', 'proven', 'mpmath, unproven'), rows)}\n\n{tail}"


def finite_n_equal_error(content: dict) -> str:
    names = list(content["rows"][0]["others"])
    rows = [
        [
            f"`{row['germ']}`",
            f"{row['n_beta']:,}",
            f"{row['exact']:.4f}",
            f"{row['proven']:.2g}",
            *(f"{row['others'][name]['seconds']:.2g}, off by {row['others'][name]['off']:.1f}" for name in names),
        ]
        for row in content["rows"]
    ]
    return markdown(("K", "nβ", "λ(nβ)", "proven", *names), rows)


def finite_n_sweeps(content: dict) -> str:
    columns = ("K", "domain", "points", "not proven", "together, s", "one by one, s", "ratio")
    rows = [
        [
            f"`{row['germ']}`",
            row["domain"],
            str(row["points"]),
            str(row["missing"]),
            number(row["together"]),
            number(row["alone"]),
            number(row["alone"] / row["together"]),
        ]
        for row in content["rows"]
    ]
    return markdown(columns, rows)


RENDER = {
    "directional_fisher": directional_fisher,
    "scaling": scaling,
    "memory": memory,
    "startup": startup,
    "layers": layers,
    "network_orders": network_orders,
    "thresholds": thresholds,
    "hidden_germs": hidden_germs,
    "ideals": ideals,
    "trials": trials,
    "parameters": parameters,
    "finite_n_sweeps": finite_n_sweeps,
    "optimizers": optimizers,
    "signatures": signatures,
    "encoder": encoder,
    "census": census,
    "directions": directions,
    "fluctuation": fluctuation,
    "finite_n_equal_error": finite_n_equal_error,
    "conformance": conformance,
}


def setting(content: dict) -> str:
    """One line on where and how it ran."""
    where, how = content["environment"], content.get("settings", {})
    packages = ", ".join(f"{name} {version}" for name, version in where["packages"].items())
    device = where["processor"] if where["device"] == "cpu" else where["device"]
    options = [f"{name} {how[name]}" for name in ("dtype", "clock", "scale") if how.get(name) not in (None, 1)]
    parts = [
        where["day"],
        device,
        f"{how.get('threads') or where['threads']} of {where['cores']} cores",
        *([f"load {where['load']:g}"] if "load" in where else []),
        *options,
        packages,
    ]
    return ", ".join(parts) + "."


def results(script: str) -> list[Path]:
    """The files of a script: that of its name, and those whose names add to it."""
    return sorted(path for path in RESULTS.glob("*.json") if path.stem == script or path.stem.startswith(f"{script}_"))


def commands(content: dict) -> list[str]:
    """What made the rows of a file: each row names it, or the file for all."""
    rows = [*content.get("rows", []), *content.get("samplers", {}).values()]
    return list(dict.fromkeys(row.get("command") or content["command"] for row in rows or [{}]))


def tables() -> str:
    """Every kept result, in the order of the scripts; other runs of one script after the first."""
    pieces = []
    for script, title in TITLES.items():
        pieces.append(f"### {title}")
        for path in results(script):
            content = json.loads(path.read_text(encoding="utf-8"))
            made = ", then ".join(f"`{command}`" for command in commands(content))
            pieces += [
                f"`{path.name}`, by {made}: {setting(content)}",
                *content.get("skipped", []),
                RENDER[script](content),
            ]
    return "\n\n".join(pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into README.md")
    if not parser.parse_args().write:
        print(tables())
        return
    put(README, tables(), "tables")


if __name__ == "__main__":
    main()
