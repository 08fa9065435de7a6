//! How `cargo xtask grade` and `cargo xtask variant` are called. Its package reads the command line, and this one lists the commands.

use crate::shared::arguments::Usage;

pub const USAGE: Usage = Usage {
    name: "grade",
    forms: &[
        (
            "SUBMISSIONS… --out DIR",
            "build and check what students have handed in, and keep a result for each: folders, \
             archives, git repositories, a main.rs, or a folder or archive of many",
        ),
        ("merge DIR… --out DIR", "bring the results of several runs together"),
        (
            "write FORMAT DIR [--out FILE]",
            "say results as another system reads them: `gradescope`, `classroom50`, `prairielearn` or \
             `autolab`, each about one student; `junit` or `csv` about all",
        ),
        (
            "write DIR --into TABLE --out FILE",
            "a copy of a gradebook's own export (CSV), in which the cells of one column are filled",
        ),
        (
            "package SYSTEM --out PATH",
            "what a teacher uploads, so that `gradescope` (a zip file), `classroom50`, `prairielearn` or \
             `autolab` (folders) grades by itself",
        ),
        (
            "probe SYSTEM [--out FILE]",
            "what `doctor` says, as `gradescope` or `prairielearn` shows it",
        ),
    ],
    options: &[
        ("--chapters LIST", "only these, such as `ch2,ch3`; otherwise all"),
        ("--jobs NUMBER", "that many programs at once; otherwise one for each processor"),
        ("--again KEY", "only this submission, also if it has a result"),
        (
            "--points FILE",
            "what each step is worth; otherwise a point for each that makes a chapter solved",
        ),
        (
            "--feedback LEVEL",
            "what students are told: `full`, `own` (what their program did) or `kind`",
        ),
        ("--shard I/N", "only this part of all submissions: `0/7` to `6/7`"),
        (
            "--seed FILE",
            "the secret that inputs are drawn from, the same for all parts; otherwise each folder of \
             results has its own",
        ),
        (
            "--with DIR",
            "with private mistakes and steps, `DIR/chNN-slug/mistakes.toml` and `steps.rs`",
        ),
        (
            "--variants FILE",
            "each student has a variant of `cargo xtask variant`: lines with a key and a seed",
        ),
        ("--find-the-fault", "with `--variants`: what is handed in is the repaired program"),
        ("--one KEY", "all that is handed in is one submission, whatever it looks like"),
        ("--image NAME", "the image of PrairieLearn's package"),
        ("--probe", "a package that says only whether programs can be checked there"),
        ("--key KEY", "write only this student"),
        (
            "--previous FILE",
            "the `submission_metadata.json` of Gradescope: its results stay if a program was not judged",
        ),
        ("--into TABLE", "the export of a gradebook"),
        ("--students COLUMN", "the head of its column with the students"),
        ("--column COLUMN", "the head of its column to fill"),
        (
            "--pattern TEXT",
            "how a student stands in the column: `{key}`, or what is before and after its last `_`, as \
             in `Participant {number}`",
        ),
    ],
};

pub const VARIANT: Usage = Usage {
    name: "variant",
    forms: &[(
        "--seed STUDENT [--out DIR]",
        "for each student, an exercise of a chapter with other names, kinds and numbers, and a program with a \
         fault to find",
    )],
    options: &[
        ("--seed STUDENT", "a word for a student; may be given several times"),
        ("--variants FILE", "the students of this table, as `grade` takes it"),
        ("--chapters LIST", "only these, such as `ch2,ch3`; otherwise all that have variants"),
        ("--out DIR", "where to; otherwise a folder `variants`"),
        ("--solutions", "for a teacher: what solves each of them, too"),
    ],
};
