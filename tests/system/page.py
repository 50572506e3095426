"""The fenced blocks of a page of docs/."""
import re


def blocks(text):
    """(the words behind the fence, the lines) of each."""
    for fence in re.finditer(r"^```(\w+)(.*)\n((?:(?!```).*\n)*)```$", text, re.M):
        yield fence.group(1), fence.group(2).split(), fence.group(3)
