//! What a reader of a page does and sees: presses a key, clicks, looks at the screen.

use crate::chromium::Chromium;
use serde_json::{Value, json};
use std::fmt;

/// A screen, and what its owner likes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
    pub(crate) still: bool,
}

impl Screen {
    pub(crate) const DESK: Screen = Screen { width: 1280, height: 800, dark: false, still: false };
    pub(crate) const PHONE: Screen = Screen { width: 390, height: 800, dark: false, still: false };
    pub(crate) const PROJECTOR: Screen =
        Screen { width: 1024, height: 768, dark: false, still: true };

    fn is_phone(self) -> bool {
        self.width < 600
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let theme = if self.dark { "navy" } else { "light" };
        write!(f, "{} px, {theme}", self.width)
    }
}

/// Functions of the page, for the scripts below.
const LOOK: &str = "
    // Of a link on two lines, the middle of the first line.
    const middle = element => {
        const box = element.getClientRects()[0];
        return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    };
    const seen = element => {
        const visible = { opacityProperty: true, visibilityProperty: true };
        if (!element?.checkVisibility(visible)) return false;
        const { x, y } = middle(element);
        return element.contains(document.elementFromPoint(x, y));
    };
";

/// A tab of a browser, and what any browser lets a reader do in it.
pub(crate) trait Reader {
    /// Opens a page and waits until all of it is there.
    fn load(&mut self, url: &str);

    /// Runs JavaScript in the page and returns its value, or what a promise comes to.
    fn eval(&mut self, script: &str) -> Value;

    /// Clicks into the middle of an element.
    fn click(&mut self, selector: &str);

    /// Presses and lets go of a key; its name is a character or the DOM's, `KeyboardEvent.key`.
    fn press(&mut self, key: &str);

    /// Puts a text into the field that has the focus, all at once.
    fn insert(&mut self, text: &str);
}

impl Reader for Chromium {
    fn load(&mut self, url: &str) {
        Chromium::load(self, url);
    }

    fn eval(&mut self, script: &str) -> Value {
        Chromium::eval(self, script)
    }

    fn click(&mut self, selector: &str) {
        Chromium::click(self, selector);
    }

    fn press(&mut self, key: &str) {
        Chromium::press(self, key);
    }

    fn insert(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }
}

impl Chromium {
    pub(crate) fn sit_at(&mut self, screen: Screen) {
        let phone = screen.is_phone();
        let size = json!({
            "width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": phone,
        });
        self.call("Emulation.setDeviceMetricsOverride", size);
        self.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone }));
        let scheme = if screen.dark { "dark" } else { "light" };
        let motion = if screen.still { "reduce" } else { "no-preference" };
        let liked = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        self.call("Emulation.setEmulatedMedia", json!({ "media": "", "features": liked }));
    }

    /// Presses and lets go of a key; its name is a character or the DOM's, `KeyboardEvent.key`.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, number, text) = match key {
            "Tab" => ("Tab", 9, ""),
            "Enter" => ("Enter", 13, "\r"),
            " " => ("Space", 32, " "),
            "End" => ("End", 35, ""),
            "Home" => ("Home", 36, ""),
            "ArrowLeft" => ("ArrowLeft", 37, ""),
            "ArrowUp" => ("ArrowUp", 38, ""),
            "ArrowRight" => ("ArrowRight", 39, ""),
            "ArrowDown" => ("ArrowDown", 40, ""),
            "PageUp" => ("PageUp", 33, ""),
            "PageDown" => ("PageDown", 34, ""),
            "Escape" => ("Escape", 27, ""),
            key => (key, 0, key),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number,
            });
            if kind == "keyDown" {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Types a word into what has the focus.
    pub(crate) fn write(&mut self, word: &str) {
        word.split("").filter(|key| !key.is_empty()).for_each(|key| self.press(key));
    }

    /// Presses Tab until an element has the focus; false if none of many does it.
    pub(crate) fn tab_to(&mut self, selector: &str) -> bool {
        let focused = format!("document.activeElement.matches({})", json!(selector));
        for _ in 0..100 {
            if self.eval(&focused) == true {
                return true;
            }
            self.press("Tab");
        }
        false
    }

    /// Clicks into the middle of an element, or of what lies on top of it.
    pub(crate) fn click(&mut self, selector: &str) {
        let middle = self.eval(&format!(
            "(() => {{
                {LOOK}
                const element = {};
                if (!seen(element)) element.scrollIntoView({{ block: 'center' }});
                return middle(element);
            }})()",
            query(selector)
        ));
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({
                "type": kind, "x": middle["x"], "y": middle["y"], "button": button, "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Whether an element is on the screen, not hidden, and on top.
    pub(crate) fn sees(&mut self, selector: &str) -> bool {
        let script = format!("(() => {{ {LOOK} return seen({}) }})()", query(selector));
        self.eval(&script) == true
    }

    /// An element's box: `x`, `y`, `width`, `height`, in CSS pixels of the screen.
    pub(crate) fn place(&mut self, selector: &str) -> Value {
        self.eval(&format!("{}.getBoundingClientRect().toJSON()", query(selector)))
    }

    /// What is on the screen now.
    pub(crate) fn screenshot(&mut self) -> Value {
        self.call("Page.captureScreenshot", json!({}))["data"].take()
    }

    /// A picture of an element.
    pub(crate) fn picture(&mut self, selector: &str) -> Value {
        let clip = self.eval(&format!(
            "(() => {{
                const box = {}.getBoundingClientRect();
                const [x, y] = [box.x + scrollX, box.y + scrollY];
                return {{ x, y, width: box.width, height: box.height, scale: 1 }};
            }})()",
            query(selector)
        ));
        self.call("Page.captureScreenshot", json!({ "clip": clip }))["data"].take()
    }
}

fn query(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}
