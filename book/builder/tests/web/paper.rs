//! The figures of a page on paper: all frames, none of them on another.

use crate::chromium::Chromium;
use serde_json::{Value, json};

/// The faults of the page that is open.
pub(crate) fn faults(reader: &mut Chromium) -> Vec<String> {
    reader.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    let hidden = hidden_frames(reader);
    reader.call("Emulation.setEmulatedMedia", json!({ "media": "" }));
    let mut faults: Vec<String> =
        hidden.iter().map(|frame| format!("{frame} is not seen in print")).collect();

    // A PDF has an element for each picture that a reader could see, `/S /Figure`.
    let pictures = reader.eval("document.querySelectorAll('figure.steps svg[role=img]').length");
    if pictures.as_u64() > Some(0) {
        let pdf = reader.call("Page.printToPDF", json!({}));
        let pdf = decode_base64(pdf["data"].as_str().unwrap());
        let figures = reader.eval("document.querySelectorAll('figure.steps').length");
        let expected = pictures.as_u64().unwrap() + figures.as_u64().unwrap();
        let found = pdf.windows(10).filter(|bytes| *bytes == b"/S /Figure").count();
        if (found as u64) < expected {
            faults.push(format!("the PDF has {found} pictures and figures, not {expected}"));
        }
    }
    faults
}

/// The pages on which the page that is open is printed.
pub(crate) fn sheets(reader: &mut Chromium) -> usize {
    let pdf = reader.call("Page.printToPDF", json!({ "preferCSSPageSize": true }));
    let pdf = decode_base64(pdf["data"].as_str().unwrap());
    pdf.windows(12).filter(|bytes| *bytes == b"/Type /Page\n").count()
}

/// The frames that are not visible, or neither below the frame before nor to the right of it.
pub(crate) fn hidden_frames(reader: &mut Chromium) -> Vec<String> {
    let hidden = reader.eval(
        "[...document.querySelectorAll('figure.steps .frame')].filter(frame => {
            const before = frame.previousElementSibling;
            const box = frame.getBoundingClientRect();
            return !frame.checkVisibility({ opacityProperty: true, visibilityProperty: true })
                || box.width === 0 || box.height === 0
                || before !== null && box.top < before.getBoundingClientRect().bottom
                    && box.left < before.getBoundingClientRect().right;
        }).map(frame => frame.id)",
    );
    let names = hidden.as_array().unwrap().iter().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

fn decode_base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().fold(0, |bits, c| bits << 6 | u32::from(value(*c)));
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
