//! A figure of three frames under the reader's hands: `figures.md`.

use crate::chromium::Chromium;
use crate::faults::Faults;
use crate::paper;
use crate::reader::Screen;
use crate::site::Site;
use serde_json::json;

const PAGE: &str = "figures.html";
const FRAMES: &str = "#fig-names > .frames";
const CONTROLS: &str = "#fig-names > .steps-controls";
const BACK: &str = "#fig-names .steps-button:nth-of-type(1)";
const PLAY: &str = "#fig-names .steps-play";
const NEXT: &str = "#fig-names .steps-button:nth-of-type(3)";

/// The faults that one of the tests finds.
pub(crate) fn faults<'a>(
    reader: &'a mut Chromium,
    site: &'a Site,
    screen: Screen,
    part: fn(&mut Test<'a>),
) -> Vec<String> {
    let mut test = Test { reader, site, screen, faults: Faults::default() };
    test.reader.sit_at(screen);
    part(&mut test);
    test.faults.0.iter().map(|fault| format!("stepper, {screen}: {fault}")).collect()
}

pub(crate) struct Test<'a> {
    reader: &'a mut Chromium,
    site: &'a Site,
    screen: Screen,
    faults: Faults,
}

impl Test<'_> {
    pub(crate) fn everything(&mut self) {
        self.clicks();
        // It takes long, and is the same on every screen.
        if self.screen == Screen::DESK {
            self.play();
            self.opening();
        }
        self.figures();
        self.without_motion();
        self.keys();
        self.links();
        self.without_script();
    }

    fn open(&mut self) {
        self.reader.load(&self.site.url(PAGE));
        self.look_at("#fig-names");
        self.reader.settle();
    }

    fn look_at(&mut self, selector: &str) {
        self.reader.eval(&format!(
            "document.querySelector('{selector}').scrollIntoView({{ block: 'center' }})"
        ));
    }

    /// The figure has to show this frame and no other, and to say so.
    fn is_at(&mut self, frame: usize, after: &str) {
        if self.reader.leaves_page() {
            self.faults.0.push(format!("{after}: the page was turned"));
            self.open();
            return;
        }
        self.reader.settle();
        let seen = |n: &usize| self.reader.sees(&format!("#fig-names-{n}"));
        let seen: Vec<usize> = (1..=3).filter(seen).collect();
        let right = seen == [frame];
        self.faults.unless(right, format!("{after}: frames {seen:?}, not {frame}, are seen"));
        let said = self.reader.eval("document.querySelector('.steps-place').firstChild.data");
        let right = json!(format!("Step {frame} of 3"));
        self.faults.unless(said == right, format!("{after}: it says {said}, not {right}"));
    }

    pub(crate) fn clicks(&mut self) {
        self.open();
        self.is_at(3, "opened");
        let height = self.reader.place(FRAMES)["height"].clone();
        for frame in [2, 1] {
            self.reader.click(BACK);
            self.is_at(frame, "back");
        }
        let first = self.reader.picture(FRAMES);
        for (button, frame) in [(NEXT, 2), (NEXT, 3), (NEXT, 3), (BACK, 2), (BACK, 1), (BACK, 1)] {
            self.reader.click(button);
            self.is_at(frame, "click");
            let jumps = self.reader.place(FRAMES)["height"] != height;
            self.faults.unless(!jumps, format!("frame {frame} has another height"));
            let same = self.reader.picture(FRAMES) == first;
            self.faults.unless(same == (frame == 1), format!("frame {frame} does not look so"));
        }
        let said = self.reader.eval("document.querySelector('.steps-place').textContent");
        self.faults.unless(said == "Step 1 of 3: sh starts", format!("it is announced as {said}"));
    }

    pub(crate) fn keys(&mut self) {
        self.sit_still(); // which takes less time
        self.open();
        let plain = self.reader.picture(CONTROLS);
        let reached = self.reader.tab_to(NEXT);
        self.faults.unless(reached, "Tab does not reach Next");
        self.look_at("#fig-names");
        self.reader.settle();
        let marked = self.reader.picture(CONTROLS) != plain;
        self.faults.unless(marked, "the focus is not to be seen");
        for (key, frame) in [
            ("Home", 1),
            ("ArrowRight", 2),
            ("ArrowLeft", 1),
            ("ArrowLeft", 1),
            ("End", 3),
            ("ArrowRight", 3),
            ("Home", 1),
            ("Enter", 2),
            (" ", 3),
            ("Enter", 3),
            ("ArrowRight", 3),
        ] {
            self.reader.press(key);
            self.is_at(frame, key);
        }
        // A click into the picture takes the keys there.
        self.open();
        self.reader.click("#fig-names-3 svg");
        self.reader.press("ArrowLeft");
        self.is_at(2, "ArrowLeft after a click into the picture");

        self.open();
        self.reader.press("ArrowRight");
        let turned = self.reader.leaves_page();
        self.faults.unless(turned, "outside of the figure ArrowRight does not turn the page");
    }

    fn play(&mut self) {
        self.open();
        // From the last frame it begins again.
        self.reader.click(PLAY);
        for frame in [1, 3] {
            let shown = format!("document.querySelector('#fig-names-{frame}.current') !== null");
            self.reader.wait_for(&shown);
        }
        self.is_at(3, "played to the end");

        // Within one script no time goes by.
        let words = self.reader.eval(&format!(
            "(() => {{
                const play = document.querySelector('{PLAY}');
                return [0, 1, 2].map(() => {{
                    const word = play.textContent;
                    play.click();
                    return word;
                }});
            }})()"
        ));
        let right = json!(["Play", "Pause", "Play"]);
        self.faults.unless(words == right, format!("the button reads, in turn, {words}"));
        self.reader.press("Home");
        // Longer than a frame is shown.
        self.reader.eval("new Promise(done => setTimeout(done, 2000))");
        self.is_at(1, "two seconds after a key ended the playing");
    }

    fn links(&mut self) {
        self.reader.open("about:blank");
        self.reader.open(&self.site.url(&format!("{PAGE}#fig-names-1")));
        self.is_at(1, "opened by a link to frame 1");
        self.reader.eval("location.hash = '#fig-names-2'");
        self.reader.wait_for("document.querySelector('#fig-names-2.current') !== null");
        self.is_at(2, "a link to frame 2");
    }

    fn figures(&mut self) {
        self.open();
        let least = if self.screen.width < 600 { 44.0 } else { 24.0 };
        for button in [BACK, PLAY, NEXT] {
            let place = self.reader.place(button);
            let big = ["width", "height"].iter().all(|side| place[side].as_f64() >= Some(least));
            self.faults.unless(big, format!("{button} is smaller than {least} px: {place}"));
        }
        let controls = self.reader.eval("document.querySelector('#fig-still button') !== null");
        self.faults.unless(controls == false, "a figure of one frame has buttons");
        self.look_at("#fig-still");
        let seen = self.reader.sees("#fig-still-1");
        self.faults.unless(seen, "a figure of one frame is not seen");
    }

    /// Starts at the frame that the page names, and plays from the first one.
    fn opening(&mut self) {
        self.open();
        self.look_at("#fig-opens");
        let seen = (1..=3).filter(|n| self.reader.sees(&format!("#fig-opens-{n}")));
        let seen: Vec<usize> = seen.collect();
        self.faults.unless(seen == [2], format!("opened: frames {seen:?}, not 2, are seen"));
        let after = self.reader.eval(
            "(() => {
                document.querySelector('#fig-opens .steps-play').click();
                return document.querySelector('#fig-opens .current').id;
            })()",
        );
        self.faults.unless(after == "fig-opens-1", format!("played: {after} is seen first"));
    }

    fn sit_still(&mut self) {
        self.reader.sit_at(Screen { still: true, ..self.screen });
    }

    fn without_motion(&mut self) {
        self.sit_still();
        self.open();
        let play = self.reader.sees(PLAY);
        self.faults.unless(!play, "there is Play although the reader prefers reduced motion");
        self.reader.click(BACK);
        let moving = self.reader.eval("document.getAnimations().length");
        self.faults.unless(moving == 0, "a step moves although the reader prefers reduced motion");
        self.is_at(2, "click without motion");
    }

    fn without_script(&mut self) {
        let disabled = |yes: bool| json!({ "value": yes });
        self.reader.call("Emulation.setScriptExecutionDisabled", disabled(true));
        self.reader.load(&self.site.url(PAGE));
        let hidden = paper::hidden_frames(self.reader);
        self.faults.unless(hidden.is_empty(), format!("without a script hidden: {hidden:?}"));
        self.reader.call("Emulation.setScriptExecutionDisabled", disabled(false));
    }
}
