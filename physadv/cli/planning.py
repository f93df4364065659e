"""Around a run: whole studies, how many pairs to print, whether gradients mislead, and what can be named."""

import json
from pathlib import Path
from typing import Annotated

import typer

from physadv.cli.app import app
from physadv.cli.options import Quiet, Root, Seed


@app.command(epilog="Example: physadv run study.toml --data ../data --dry-run")
def run(
    study: Annotated[Path, typer.Argument(help="TOML file: images, models, attacks, sweeps, photographs.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder that the file's paths are relative to; its own by default.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Only runs whose name fits this pattern, such as '*-bim-16'.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be run.")] = False,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Run a whole study; steps whose inputs have not changed are skipped."""
    from physadv.progress import reporter
    from physadv.study.file import read_study
    from physadv.study.runner import list_steps, run_study, select_runs, steps_in_words, write_study_tables

    chosen = read_study(study, data)
    if only is not None:
        chosen = select_runs(chosen, only)
    if dry_run:
        print(steps_in_words(list_steps(chosen, root), "would run"))
        return
    outcome = run_study(chosen, root, reporter(quiet=quiet))
    print(steps_in_words(outcome.steps, "ran"))
    if only is None:
        for path in write_study_tables(chosen, root, outcome):
            print(f"tables: {path}")


@app.command(epilog="Example: physadv plan --rate 0.1 --halfwidth 0.05 --qualifying 0.8")
def plan(
    rate: Annotated[float, typer.Option(help="The rate expected, 0 to 1.")],
    halfwidth: Annotated[float, typer.Option(help="Half the width wanted of its 95 % interval.")],
    qualifying: Annotated[
        float, typer.Option(help="Share of pairs expected to count: clean right, adversarial wrong, seen.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Say how many pairs to print for a rate as sharp as wanted."""
    from dataclasses import asdict

    from physadv.evaluation.sample_size import plan_pairs
    from physadv.report.terminal import show_plan

    wanted = plan_pairs(rate, halfwidth, qualifying)
    if as_json:
        print(json.dumps(asdict(wanted)))
    else:
        show_plan(wanted)


@app.command(
    "masking-check",
    epilog="Example: physadv masking-check photos/ --model torchvision/resnet18 --limit 20 --plot curve.svg",
)
def masking_check(
    images: Annotated[Path, typer.Argument(help="Folder, CSV (path,label) or tree with one folder a class.")],
    model: Annotated[str, typer.Option(help="Classifier; see 'physadv list models'.")] = "signs",
    labels: Annotated[Path | None, typer.Option(help="Text file of class names, one a line.")] = None,
    eps: Annotated[int, typer.Option(help="Budget in 8-bit levels.")] = 16,
    steps: Annotated[int, typer.Option(help="Of the attacks by gradients.")] = 100,
    query_steps: Annotated[int, typer.Option(help="Of the attack that takes answers only.")] = 50,
    population: Annotated[int, typer.Option(help="Queries for each of its gradients.")] = 50,
    sigma: Annotated[float, typer.Option(help="How far it looks, 8-bit levels.")] = 2.55,
    noise: Annotated[int, typer.Option(help="Random pictures tried on each image.")] = 100,
    size: Annotated[int, typer.Option(help="Reduce images to this many pixels a side.")] = 299,
    limit: Annotated[int | None, typer.Option(help="How many images; all by default.")] = None,
    batch: Annotated[int, typer.Option(help="Images attacked at once.")] = 16,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps: where the classifier runs.")] = "auto",
    plot: Annotated[Path | None, typer.Option(help="Draw the curve: a .svg, .png or .pdf file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Say whether a classifier's gradients mislead, so that its accuracy under attack means nothing."""
    from physadv.pipeline.masking_check import MaskingSettings
    from physadv.pipeline.masking_check import masking_check as run
    from physadv.progress import reporter
    from physadv.report.masking_plot import check_plot, write_masking_plot
    from physadv.report.terminal import show_masking

    if plot:
        check_plot(plot)
    settings = MaskingSettings(
        images=images,
        model=model,
        labels=labels,
        eps=eps,
        steps=steps,
        query_steps=query_steps,
        population=population,
        sigma=sigma,
        noise=noise,
        size=size,
        limit=limit,
        seed=seed,
        batch=batch,
        device=device,
    )
    check = run(settings, reporter(quiet=quiet or as_json))
    if plot:
        write_masking_plot(plot, check)
    if as_json:
        print(json.dumps(check.as_json()))
        return
    show_masking(check)
    if plot:
        print(f"plot: {plot}")


@app.command("list", epilog="Example: physadv list attacks")
def list_command(
    what: Annotated[str, typer.Argument(help="models, attacks, transforms, presets, phones or sweeps.")],
) -> None:
    """List what can be named on the command line."""
    from physadv.cli.listing import show_list

    show_list(what)
