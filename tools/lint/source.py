"""What the lint scripts share: which files there are, and C source without its comments."""

import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

ROOT = os.environ.get("NV_LINT_ROOT") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def files(*suffixes):
    """Paths, from the root, of the project's files that end in one of `suffixes` (all, without any).

    In a git checkout: tracked files and new ones that are not ignored; elsewhere every file.
    """
    if os.path.isdir(os.path.join(ROOT, ".git")) or os.path.isfile(os.path.join(ROOT, ".git")):
        out = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True).stdout
        names = out.decode().split("\0")
    else:
        names = [os.path.relpath(os.path.join(folder, name), ROOT)
                 for folder, _, found in os.walk(ROOT) for name in found]
        names = [n for n in names if not n.startswith("build" + os.sep)]
    names = sorted(set(n for n in names if n and (not suffixes or n.endswith(suffixes))))
    return [n for n in names if os.path.isfile(os.path.join(ROOT, n))]


def read(path):
    """The text of a file named from the root."""
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def table(path):
    """The lines of a table file as lists of words, without comments (#) and blank lines."""
    if not os.path.isfile(os.path.join(ROOT, path)):
        return []
    rows = [line.split("#", 1)[0].split() for line in read(path).splitlines()]
    return [row for row in rows if row]


def _blank(match):
    text = match.group(0)
    inside = re.sub(r"[^\n]", " ", text)
    return text if text[0] == '"' and match.string[:match.start()].endswith("include ") else \
        text[0] + inside[1:-1] + text[-1] if text[0] in "\"'" else inside


def code(text):
    """C source with comments and the insides of literals blanked; lines and columns stay."""
    return _TOKEN.sub(_blank, text)


def line_of(text, position):
    """The number of the line that holds `position`."""
    return text.count("\n", 0, position) + 1


class Compilations:
    """Runs a compiler over files whose text, or that of a file they include, has changed.

    What was accepted is kept by content in build/lint/<name>.
    """

    _include = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)

    def __init__(self, name, command):
        self.command = command
        self.cache = os.path.join(ROOT, "build", "lint", name)
        os.makedirs(self.cache, exist_ok=True)
        self.texts = {path: read(path) for path in files(".c", ".h", ".def", ".proto")}

    def _closure(self, path, seen):
        """The paths that `path` includes, directly or not, itself too."""
        if path in self.texts and path not in seen:
            seen.add(path)
            for name in self._include.findall(self.texts[path]):
                self._closure(name, seen)
        return seen

    def _key(self, path):
        whole = "\0".join(self.texts[p] for p in sorted(self._closure(path, set())))
        protos = "\0".join(text for p, text in self.texts.items() if p.endswith(".proto"))
        words = " ".join(self.command(path))
        return hashlib.sha256("\0".join((words, path, protos, whole)).encode()).hexdigest()

    def _complaint(self, path, code):
        run = subprocess.run(self.command(path), cwd=ROOT, input=code, text=True, capture_output=True)
        if run.returncode == 0:
            return None
        lines = [line for line in run.stderr.splitlines() if "error:" in line or "warning:" in line]
        return (lines or run.stderr.splitlines() or ["the compiler failed"])[0]

    def complaints(self, paths, code_of):
        """Yields (path, the compiler's first complaint); `code_of` gives what it reads for a path."""
        keys = {path: os.path.join(self.cache, self._key(path)) for path in paths}
        fresh = [path for path in paths if not os.path.exists(keys[path])]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for path, said in zip(fresh, pool.map(lambda p: self._complaint(p, code_of(p)), fresh)):
                if said:
                    yield path, said
                else:
                    open(keys[path], "w").close()


class Findings:
    """Collects what is wrong and reports it as file:line: what, and what to do."""

    def __init__(self):
        self.lines = []

    def add(self, path, line, what):
        self.lines.append(f"{path}:{line}: {what}")

    def close(self):
        """Prints the findings; the exit status of the script."""
        for line in self.lines:
            print(line)
        sys.exit(1 if self.lines else 0)
