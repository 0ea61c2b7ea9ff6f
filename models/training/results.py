"""The metrics as a page to read."""


def results_markdown(title: str, metadata: dict, model_bytes: int) -> str:
    data, metrics = metadata["data"], metadata["metrics"]
    lines = [
        f"# {title}",
        "",
        f"`{metadata['id']}` version {metadata['version']}, trained {metadata['trainedAt']} on {data['rows']:,} simulated payments "
        f"({data['fraudRows']:,} labelled fraud): {metrics['trees']} trees, {model_bytes:,} bytes, "
        f"{len(metadata['inputs'])} features. The data are made up, so these figures say that the pipeline, the features and "
        "the model work together, not how any real portfolio would fare.",
        "",
    ]
    sections = (
        ("Later payments than any learned from", metrics["heldOutTime"]),
        ("Kinds of fraud never learned", metrics["heldOutKinds"]),
    )
    for heading, parts in sections:
        if not parts:
            continue
        lines += [f"## {heading}", ""]
        for name, part in parts.items():
            lines += part_markdown(name, part)
    return "\n".join(lines)


def part_markdown(name: str, part: dict) -> list[str]:
    lines = [
        f"`{name}`: {part['rows']:,} payments, {part['fraudRows']:,} fraud; AUC {part['auc']:.4f}, average precision "
        f"{part['averagePrecision']:.3f}; at 0.3% false positives {part['recallAt03PercentFalsePositives']:.1%} of the frauds and "
        f"{part['amountRecallAt03PercentFalsePositives']:.1%} of their amount.",
        "",
        "| score from | genuine payments stopped | frauds stopped |",
        "|---|---|---|",
    ]
    for score, level in part["atScore"].items():
        lines.append(f"| {score} | {level['falsePositiveRate']:.2%} | {level['recall']:.1%} |")
    levels = list(part["atScore"])
    columns = ["kind of fraud", "payments", "stopped at 0.3% false positives", *(f"score {level} and up" for level in levels)]
    lines += ["", table_row(columns), table_row(["---"] * len(columns))]
    for kind, row in part["byFraudType"].items():
        recalls = [row["recallAt03PercentFalsePositives"], *row["recallAtScore"].values()]
        lines.append(table_row([kind, f"{row['rows']:,}", *(f"{recall:.1%}" for recall in recalls)]))
    return [*lines, ""]


def table_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
