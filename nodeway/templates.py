"""Renders the Jinja2 templates of proxy configurations."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render_template(directory: Path, name: str, spec: object) -> str:
    """Renders the template with the name `spec`; raises jinja2.UndefinedError for an undefined name."""
    environment = Environment(
        loader=FileSystemLoader(directory),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (not HTML; the configuration's model validates every value)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(spec=spec)
