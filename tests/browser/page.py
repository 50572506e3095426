#!/usr/bin/env python3
"""The page's own files, read: each text in both languages and none too many, no markup out of data, nothing from elsewhere."""
import glob
import os
import re
import shutil
import subprocess
import sys

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "node", "admin", "page")
FAMILIES = ("level", "column", "help", "role", "theme", "books", "ticket", "node", "verdict", "audit", "span", "figure", "way", "short", "state")


def source(name):
    with open(os.path.join(PAGE, name), encoding="utf-8") as file:
        return file.read()


failed = []
scripts = {os.path.basename(path): source(os.path.basename(path)) for path in sorted(glob.glob(os.path.join(PAGE, "*.js")))}
table, rest = scripts["text.js"], "".join(text for name, text in scripts.items() if name != "text.js")

rows = re.findall(r'^  "?([\w-]+)"?: \["((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\],$', table, re.M)
keys = [key for key, _, _ in rows]
lines = [line for line in table.splitlines() if re.match(r'^  "?[\w-]+"?: \[', line)]
failed += [f"text.js: {line.strip()}: a row is key: [\"English\", \"Chinese\"]," for line in lines if not re.match(r'^  "?[\w-]+"?: \["(?:[^"\\]|\\.)+", "(?:[^"\\]|\\.)+"\],$', line)]
failed += [f"text.js: {key} is there twice" for key in set(keys) if keys.count(key) > 1]
for key, english, chinese in rows:
    if sorted(re.findall(r"\{\w+\}", english)) != sorted(re.findall(r"\{\w+\}", chinese)):
        failed.append(f"text.js: {key}: the two languages have other values in braces")
    if re.search(r"[\u4e00-\u9fff]", english) or not re.search(r"[\u4e00-\u9fff¥%{]", chinese):
        failed.append(f"text.js: {key}: {english!r} is to be English and {chinese!r} Chinese")
used = set(re.findall(r'"([a-z][\w-]*)"', rest))
failed += [f"{key} is in no table of text.js" for key in sorted(set(re.findall(r'\bt\("([\w-]+)"', rest)) - set(keys))]
failed += [f"text.js: {key} is used nowhere" for key in keys if key not in used and key.split("_")[0] not in FAMILIES]

for name, text in {**scripts, "index.html": source("index.html"), "style.css": source("style.css")}.items():
    for pattern, why in ((r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", "markup or code out of data"),
                         (r"(?<!xmlns=\")https?://(?!www\.w3\.org/)", "an address elsewhere"), (r"style=|setAttribute\(\"style|<script>|\son\w+=\"", "inline style or script")):
        failed += [f"{name}: {found.group()}: {why}" for found in re.finditer(pattern, text)]
    failed += [f"{name}:{number}: blanks at the end, or a tab" for number, line in enumerate(text.splitlines(), 1) if re.search(r"\s$|\t", line)]

if shutil.which("node"):
    for name in scripts:
        done = subprocess.run(["node", "--check", "--input-type=module"], input=scripts[name], capture_output=True, text=True)
        if done.returncode:
            failed.append(f"{name}: {done.stderr}")

for line in failed:
    print(line, file=sys.stderr)
sys.exit(bool(failed))
