"""Build the documentation site into build/site: python docs/site.py.

The pages link to each other as files of the repository, so that they also read well there. This program copies them
into `build/docs` in the layout of the site, adapts the links, runs Zensical (`zensical.toml`), and writes `llms.txt`
and `llms-full.txt`, the list and the text of all pages for language models (https://llmstxt.org).
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
SOURCE = BUILD / "docs"
SITE = BUILD / "site"
LISTS = {'"adr/*.md"': "docs/adr", '"cases/*.md"': "docs/cases"}
"""What stands in the navigation for all pages of a folder, and the folder. An index comes first."""
WORKER = "worker.js"
SHIM = 'src="https://unpkg.com/iframe-worker/shim"'
"""Zensical's offline plugin loads this script from a server: the search needs it where a folder is opened without one.
`docs/worker.js` does the same, from the site itself."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")
"""An inline link or picture: the mark of a picture, the text, the file, the heading."""


def site_paths() -> Mapping[str, str]:
    """Return where each file of the repository stands in the site, by its path in the repository."""
    paths = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "SECURITY.md": "security.md"}
    for page in sorted(ROOT.glob("docs/**/*")):
        if page.suffix in {".md", ".png", ".ipynb"}:
            paths[page.relative_to(ROOT).as_posix()] = page.relative_to(ROOT / "docs").as_posix()
    for page in sorted(ROOT.glob("examples/*/README.md")):
        paths[page.relative_to(ROOT).as_posix()] = f"examples/{page.parent.name}.md"
    for page in sorted(ROOT.glob("benchmarks/*.md")):
        name = "index.md" if page.name == "README.md" else page.name.lower()
        paths[page.relative_to(ROOT).as_posix()] = f"benchmarks/{name}"
    return {source: target for source, target in paths.items() if (ROOT / source).exists()}


def adapt_links(text: str, source: str, paths: Mapping[str, str]) -> str:
    """Return the text of the page `source` with links that hold in the site; a link to other files becomes its text."""

    def adapt(link: re.Match[str]) -> str:
        picture, words, target, heading = link.groups()
        if "://" in target or target.startswith("mailto:"):
            return link[0]
        wanted = os.path.normpath(PurePosixPath(source).parent / target)
        if wanted not in paths:
            return words
        there = os.path.relpath(paths[wanted], PurePosixPath(paths[source]).parent)
        return f"{picture}[{words}]({there}{heading or ''})"

    return LINK.sub(adapt, text)


def settings() -> str:
    """Return the text of `zensical.toml` with every decision and every case in the navigation."""
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    for mark, folder in LISTS.items():
        pages = sorted(ROOT.glob(f"{folder}/*.md"), key=lambda page: (page.stem != "index", page.name))
        text = text.replace(mark, ", ".join(f'"{page.parent.name}/{page.name}"' for page in pages))
    return text


def navigation() -> Iterator[tuple[str, str, str]]:
    """Return chapter, title and path of every page, in order; a page with an empty title goes by its own heading."""
    for chapter in tomllib.loads(settings())["project"]["nav"]:
        for heading, entries in chapter.items():
            for entry in [{heading: entries}] if isinstance(entries, str) else entries:
                for title, path in [("", entry)] if isinstance(entry, str) else entry.items():
                    yield heading, title, path


def copy_pages(paths: Mapping[str, str]) -> None:
    """Write the settings, every page and every picture into the folder that Zensical reads."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    (BUILD / "zensical.toml").write_text(settings(), encoding="utf-8")
    for source, target in paths.items():
        place = SOURCE / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.suffix == ".md":
            text = (ROOT / source).read_text(encoding="utf-8")
            place.write_text(adapt_links(text, source, paths), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / source, place)


def use_own_worker() -> None:
    """Let no page load a script from a server."""
    shutil.copyfile(ROOT / "docs" / WORKER, SITE / WORKER)
    for page in SITE.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        own = f'src="{os.path.relpath(SITE / WORKER, page.parent)}"'
        page.write_text(text.replace(SHIM, own), encoding="utf-8")


def write_llms_txt() -> None:
    """Write `llms.txt`, one line a page in the order of the navigation, and `llms-full.txt`, the text of all pages.

    Each page stands as Markdown beside its HTML, so that the links of `llms.txt` lead to text without markup.
    """
    project = tomllib.loads(settings())["project"]
    lines = [f"# {project['site_name']}", "", f"> {project['site_description']}"]
    whole = []
    chapter = ""
    for heading, title, path in navigation():
        if heading != chapter:
            lines += ["", f"## {heading}", ""]
            chapter = heading
        text = (SOURCE / path).read_text(encoding="utf-8")
        name = title or text.splitlines()[0].removeprefix("# ")
        lines.append(f"- [{name}]({path}): {first_sentence(text)}")
        whole.append(f"<!-- {path} -->\n\n{text.strip()}\n")
        place = SITE / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    (SITE / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (SITE / "llms-full.txt").write_text("\n".join(whole), encoding="utf-8")


def first_sentence(text: str) -> str:
    """Return the first sentence of a page that is neither heading, quotation, comment, table nor code."""
    dated = re.compile(r"(Status: |\d{4}-\d\d-\d\d)")  # the line under the heading of a decision
    for paragraph in re.sub(r"```.*?```", "", text, flags=re.DOTALL).split("\n\n"):
        plain = LINK.sub(r"\2", " ".join(paragraph.split()))
        if plain and not plain.startswith(("#", ">", "<!--", "|", "![")) and not dated.match(plain):
            return re.split(r"(?<=[.?!])\s", plain)[0]
    return ""


def main() -> int:
    """Build the site; any warning fails the build."""
    copy_pages(site_paths())
    built = subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=BUILD, check=False)
    if built.returncode == 0:
        use_own_worker()
        write_llms_txt()
    return built.returncode


if __name__ == "__main__":
    sys.exit(main())
