//! Compiles the witness (`src/witness.rs`) into a static program without a C library.
//!
//! Cargo builds no second program for a library, so the lab includes the witness as bytes and
//! writes it into each sandbox.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/witness.rs");
    let env = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let (os, arch) = (env("CARGO_CFG_TARGET_OS"), env("CARGO_CFG_TARGET_ARCH"));
    assert!(
        os == "linux" && ["x86_64", "aarch64", "x86"].contains(&arch.as_str()),
        "\n\nLinux namespaces exist on Linux only, and this course runs on x86_64 and aarch64; this is {os} on {arch}\n\
         help: on another system use a Linux virtual machine (see \"Where it runs\" in README.md)\n"
    );

    let witness = Path::new(&env("OUT_DIR")).join("witness");
    // The kernel in the book's pages is one for i686, and no check runs there.
    if arch == "x86" {
        std::fs::write(witness, "").expect("Cargo's folder for this package can be written to");
        return;
    }
    let mut rustc = Command::new(env("RUSTC"));
    rustc
        .args(["src/witness.rs", "--edition=2024", "--crate-type=bin", "--target"])
        .arg(env("TARGET"))
        .args(["-Copt-level=s", "-Cpanic=abort", "-Cstrip=symbols", "-Crelocation-model=static"])
        .args(["-Clink-arg=-nostdlib", "-Clink-arg=-nostartfiles", "-Clink-arg=-static", "-o"])
        .arg(&witness);
    if let Ok(linker) = std::env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    let status = rustc.status().expect("cargo names a rustc that can be started");
    assert!(status.success(), "the witness (exercises/lab/src/witness.rs) did not compile");
}
