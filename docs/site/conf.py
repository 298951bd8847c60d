"""How `make docs` makes a site of README.md, docs/ and the figures of bench/: Sphinx reads the same Markdown as a person does.

What is in: the order in which a newcomer reads (tests/docs compares it with the pages that there are), and the drawing of
states, which is Mermaid for readers of the checkout and drawn here by Graphviz, so that the site loads nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sphinx.ext.graphviz import graphviz as drawn_by_dot
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx

NAVIGATION = {
    "Begin": ("docs/why", "docs/tutorial", "docs/install", "docs/init", "docs/glossary"),
    "The main job": ("docs/rollout", "docs/states", "docs/guard", "docs/rehearse", "docs/lab"),
    "Checks": ("docs/check", "docs/checks", "docs/diagnose", "docs/watch", "docs/checklist", "docs/import"),
    "Under load": ("docs/soak",),
    "Failover": ("docs/failover", "docs/movers", "docs/exports"),
    "The next boot": ("docs/drift",),
    "Know the kernel": ("docs/kernels", "docs/suspects", "docs/bisect"),
    "The fleet file": ("docs/fleet",),
    "Page and report": ("docs/page", "docs/report"),
    "Operations": ("docs/security", "docs/notify", "docs/fleetlock"),
    "Beside others": ("docs/comparison", "docs/decisions"),
    "The house": ("docs/architecture", "docs/add-a-check"),
    "Measured": (
        "bench/bisection",
        "bench/bisection_lab",
        "bench/checklist",
        "bench/drift",
        "bench/drift_cases",
        "bench/failover",
        "bench/fanout",
        "bench/faults",
        "bench/help",
        "bench/localise",
        "bench/needrestart",
        "bench/page",
        "bench/rehearse",
        "bench/sampler",
        "bench/schedules",
        "bench/soak",
        "bench/suspects",
        "bench/workers",
    ),
}

project = "Seatrial"
html_title = "Seatrial"
extensions = ["myst_parser", "sphinx.ext.graphviz"]
root_doc = "README"
include_patterns = ["README.md", "docs/*.md", "bench/*.md"]
exclude_patterns = [".*", "build", "dist", "src", "tests", "tools"]
source_suffix = {".md": "markdown"}

# A link to a heading is checked as GitHub names it, in all pages down to the keys of the fleet file.
myst_heading_anchors = 6
myst_fence_as_directive = ["mermaid"]
# The pages of bench/ are printed by programs, and begin with a heading of the second level.
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_static_path = ["seatrial.css"]
html_css_files = ["seatrial.css"]
html_extra_path = ["index.html"]
html_show_copyright = False
html_copy_source = False
graphviz_output_format = "svg"


class StatesDrawing(SphinxDirective):
    """A Mermaid drawing of states, by Graphviz: the lines `a --> b`, and names that Mermaid takes no dash in."""

    has_content = True

    def run(self) -> list[Node]:
        """The drawing, with what it shows in words for who does not see it."""
        text = "\n".join(self.content)
        shown = {ident: name for name, ident in re.findall(r'state "([^"]+)" as (\w+)', text)}
        ways = re.findall(r"^\s*(\S+) --> (\S+)$", text, re.MULTILINE)
        begin_and_end = "[*]"
        edges = [(shown.get(a, a), shown.get(b, b)) for a, b in ways]
        edges = [edge for edge in edges if begin_and_end not in edge]
        final = {shown.get(a, a) for a, b in ways if b == begin_and_end}
        lines = [
            'node [shape=box, style=rounded, fontname="sans-serif", color="#607080", fontcolor="#607080"]'
        ]
        lines += ['edge [color="#607080"]', 'bgcolor="transparent"']
        lines += [f'"{name}" [peripheries=2]' for name in sorted(final)]
        lines += [f'"{a}" -> "{b}"' for a, b in edges]
        node = drawn_by_dot("", code="digraph states {" + ";\n".join(lines) + "}", options={})
        node["alt"] = "; ".join(f"{a} to {b}" for a, b in edges)
        return [node]


def _with_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """What a reader of README.md on GitHub need not see: the trees of pages behind it."""
    if name != root_doc:
        return
    for caption, pages in NAVIGATION.items():
        source[0] += "\n\n```{toctree}\n:hidden:\n:titlesonly:\n:caption: " + caption + "\n\n"
        source[0] += "\n".join(pages) + "\n```\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of the two."""
    app.add_directive("mermaid", StatesDrawing)
    app.connect("source-read", _with_navigation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
