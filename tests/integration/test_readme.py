"""The tour of README.md is typed as it stands there, and gives what is said there."""

import os
import re
import subprocess

import pytest

from product import PATIENCE, ROOT, Product

BLOCK = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
MARK = "--- next ---"


def steps():
    """(command, what it prints) of every line that begins with "$ "; "> " goes on with it."""
    found = []
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        for block in BLOCK.findall(readme.read()):
            for line in block.splitlines():
                if line.startswith("$ "):
                    found.append([line[2:], []])
                elif line.startswith("> "):
                    found[-1][0] += "\n" + line[2:]
                else:
                    found[-1][1].append(line)
    return found


@pytest.fixture(scope="module")
def typed():
    script = "set -o pipefail\n" + f"\necho '{MARK}'\n".join(command for command, _ in steps())
    with Product() as product:
        script = script.replace("http://127.0.0.1:8080", product.base_url).replace("data/sandbox.json", product.data + "/sandbox.json")
        result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=PATIENCE)
        product.verify()
    return result


def test_the_tour_goes_as_the_readme_says(typed):
    wanted = steps()
    assert len(wanted) > 10
    printed = typed.stdout.split(MARK + "\n")
    assert len(printed) == len(wanted), typed.stdout + typed.stderr
    for (command, lines), text in zip(wanted, printed):
        assert text.splitlines() == lines, command
    assert typed.stderr == ""
