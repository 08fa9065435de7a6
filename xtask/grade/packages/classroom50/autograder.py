#!/usr/bin/env python3
"""Grades one submission for Classroom 50, whose runner starts this in the student's checkout.

Any exit status but 0 is an error to the runner, and no score: that is how a submission ends that this machine
could not judge.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

BUNDLE = pathlib.Path(os.environ["CLASSROOM50_BUNDLE_DIR"])
CHECKOUT = pathlib.Path.cwd()
CHAPTERS, FEEDBACK, RUST = "@CHAPTERS@", "@FEEDBACK@", "@RUST@"


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=False, **options).returncode


def main():
    work = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("RUNNER_TEMP")))
    course, results = work / "course", work / "results"
    course.mkdir()
    environment = {**os.environ, "RUSTUP_TOOLCHAIN": RUST}
    # Ubuntu takes the capabilities of a user namespace away, and its runners let the job change that.
    run("sudo", "-n", "sysctl", "-qw", "kernel.apparmor_restrict_unprivileged_userns=0")
    status = run("tar", "-xzf", BUNDLE / "course.tar.gz", "-C", course) or run(
        "rustup", "toolchain", "install", "--profile", "minimal", RUST
    )
    if status:
        return status

    grade = ["cargo", "xtask", "grade"]
    points = BUNDLE / "points.toml"
    options = ["--points", points] if points.exists() else []
    command = [*grade, CHECKOUT, "--one", "submission", "--out", results, "--chapters", CHAPTERS, *options]
    status = run(*command, cwd=course, env=environment)
    # 3: some program was not judged. Writing says which one, and that there is no result.
    if status not in (0, 3):
        return status
    command = [*grade, "write", "classroom50", results, "--chapters", CHAPTERS, "--feedback", FEEDBACK]
    status = run(*command, "--out", CHECKOUT / "result.json", cwd=course, env=environment)
    if status:
        return status
    texts = sorted((results / "feedback").glob("*/*.md"))
    body = "\n".join(text.read_text(encoding="utf-8") for text in texts)
    (CHECKOUT / "release-body.md").write_text(body, encoding="utf-8")
    return 0


sys.exit(main())
