"""``rr-train``: train an embedder or a restorer by a recipe."""

from __future__ import annotations

from pathlib import Path

import click

from .base import MOST_WORKERS, SETTINGS, Command


@click.command(
    cls=Command,
    context_settings=SETTINGS,
    interrupted="rendered photos and the last checkpoint are kept; the same command with --resume goes on from there",
)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Checkpoint, logs, and the model's folder.  [default: runs/train-NAME]",
)
@click.option("--resume", is_flag=True, help="Go on with the training in --out, if there is one.")
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="DEVICE",
    help="auto, cpu, cuda (all GPUs), cuda:1 or cuda:0,1.",
)
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the recipe: data.synthpie.people=100."
)
@click.option("--trust-code", is_flag=True, help="Let RECIPE run the Python code that it names.")
@click.option(
    "--workers",
    type=click.IntRange(0, MOST_WORKERS),
    metavar="N",
    help="Processes that render or read photos.  [default: one a core, at most 16]",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where rendered photos are kept.  [default: the cache]",
)
@click.option(
    "--limit-steps", type=click.IntRange(min=1), metavar="N", help="At most N steps, for a trial; --resume goes on."
)
@click.option("--render-only", is_flag=True, help="Only fill the cache of rendered photos.")
def train(
    recipe: Path,
    out: Path | None,
    resume: bool,
    device: str,
    changes: tuple[str, ...],
    trust_code: bool,
    workers: int | None,
    cache: Path | None,
    limit_steps: int | None,
    render_only: bool,
) -> None:
    """Train an embedder or a restorer by RECIPE, a TOML file; write its folder: card, weights, golden tensors, logs.

    \b
    rr-train models/arcface-synthpie/recipe.toml
    """  # noqa: D301  # click's mark for a paragraph that is not wrapped
    from .training import run

    run(
        recipe,
        out=out,
        resume=resume,
        device=device,
        changes=changes,
        trust_code=trust_code,
        workers=workers,
        cache=cache,
        limit=limit_steps,
        render_only=render_only,
    )
