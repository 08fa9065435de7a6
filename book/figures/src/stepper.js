'use strict';

// Figures of several frames: shows one frame at a time, and adds the buttons to step through them.
(function steppers() {
    const PACE = 1500; // milliseconds that Play shows a frame for

    for (const figure of document.querySelectorAll('figure.steps')) {
        const frames = [...figure.querySelectorAll('.frame')];
        if (frames.length > 1) {
            step_through(figure, frames);
        }
    }

    function step_through(figure, frames) {
        const last = frames.length - 1;
        // The last frame has the most to see, unless the page names another one.
        const named = frames.findIndex(frame => frame.classList.contains('opening'));
        const opening = named < 0 ? last : named;
        let current = 0;
        let playing = null;
        let untouched = true;

        const back = button('Back', () => show(current - 1));
        const play = button('Play', () => playing === null ? start() : stop());
        const next = button('Next', () => show(current + 1));
        const place = element('p', 'steps-place');
        place.setAttribute('aria-live', 'polite');
        const controls = element('div', 'steps-controls');
        controls.append(back, play, next, place);
        play.classList.add('steps-play');

        function show(frame) {
            untouched = false;
            current = Math.min(Math.max(frame, 0), last);
            frames.forEach((other, i) => other.classList.toggle('current', i === current));
            // The focus stays where it is at either end, so a button there is not `disabled`.
            back.setAttribute('aria-disabled', current === 0);
            next.setAttribute('aria-disabled', current === last);
            // What a screen reader says is also what the step does; the eye has that in the frame.
            const text = element('span', 'steps-spoken');
            text.textContent = ': ' + frames[current].querySelector('.frame-text').textContent;
            place.replaceChildren(`Step ${current + 1} of ${frames.length}`, text);
        }

        function start() {
            play.textContent = 'Pause';
            playing = setInterval(forward, PACE);
            // A reader who has not stepped yet has not seen the beginning.
            if (current === last || untouched) {
                show(0);
            } else {
                forward();
            }
        }

        function forward() {
            show(current + 1);
            if (current === last) {
                stop();
            }
        }

        function stop() {
            clearInterval(playing);
            playing = null;
            play.textContent = 'Play';
        }

        function show_target() {
            const target = frames.findIndex(frame => '#' + frame.id === location.hash);
            if (target >= 0) {
                stop();
                show(target);
            }
        }

        // Whatever the reader does in the figure ends the playing; the button Pause does it itself.
        for (const kind of ['pointerdown', 'keydown']) {
            figure.addEventListener(kind, event => event.target === play || stop());
        }
        figure.addEventListener('keydown', event => {
            const to = {
                ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: last,
            }[event.key];
            if (to === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
                return;
            }
            event.preventDefault();
            event.stopPropagation(); // mdBook turns the page on an arrow key
            stop();
            show(to);
        });
        window.addEventListener('hashchange', show_target);

        figure.tabIndex = -1; // a click into the figure takes the arrow keys there
        figure.classList.add('stepping');
        figure.querySelector('.frames').after(controls);
        show(opening);
        untouched = true;
        show_target();
    }

    function element(name, kind) {
        const made = document.createElement(name);
        made.className = kind;
        return made;
    }

    function button(text, act) {
        const made = element('button', 'steps-button');
        made.type = 'button';
        made.textContent = text;
        made.addEventListener('click', act);
        return made;
    }
})();
