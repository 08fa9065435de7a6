//! An emulated machine, from its start to the end of its work.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::image::{self, Share};
use crate::packages::{Kernel, Size, Tools};

/// Boots a kernel in a machine of this size and with these shares, and waits until it powers off. `folder`
/// gets the image and what the kernel says.
///
/// # Errors
///
/// If it is still running after `limit`.
pub(crate) fn run(
    folder: &Path,
    kernel: &Kernel,
    size: Size,
    tools: &Tools,
    shares: &[Share],
    limit: Duration,
) -> Result<()> {
    let image = folder.join("image");
    image::write(&image, kernel, tools, shares)?;
    let console = folder.join("console");
    let mut emulator = tools.command("qemu-system-x86_64")?;
    for firmware in tools.firmware() {
        emulator.arg("-L").arg(firmware);
    }
    emulator.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]);
    // By translation, which every machine can do.
    emulator.args(["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"]);
    emulator.args(["-smp", size.processors, "-m", size.memory]);
    emulator.arg("-kernel").arg(&kernel.file).arg("-initrd").arg(&image);
    // `no_timer_check`: a busy host delays the ticks that the kernel counts. `mitigations=off`: each call
    // into the kernel would change the page tables, and cost the emulator all that it has translated.
    let options = "console=ttyS0 quiet panic=-1 no_timer_check mitigations=off";
    emulator.args(["-append", options]);
    emulator.arg("-serial").arg(format!("file:{}", console.display()));
    for Share { tag, path, writable, .. } in shares {
        let access = if *writable { "" } else { ",readonly=on" };
        emulator.arg("-virtfs").arg(format!(
            "local,path={},mount_tag={tag},security_model=none,multidevs=remap{access}",
            path.display()
        ));
    }
    let said = folder.join("emulator");
    emulator.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&said)?);
    let mut running = emulator.spawn().context("the emulator could not be started")?;
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = running.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            running.kill()?;
            running.wait()?;
            bail!(
                "it was still running after {} s; it said:\n{}",
                limit.as_secs(),
                end_of(&console)
            );
        }
        sleep(Duration::from_millis(100));
    };
    if !status.success() {
        bail!("the emulator failed: {}", end_of(&said));
    }
    Ok(())
}

/// The last lines of a file.
pub(crate) fn end_of(file: &PathBuf) -> String {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
