'use strict';

/* global path_to_root */

// The speaker view: a page, one section at a time, for a room. `?present` is what the room sees, and
// `?present=notes` is the second window, which follows it. hand.js loads this only for such an address.
(function present() {
    const query = new URLSearchParams(location.search);
    const name = location.pathname.split('/').pop().replace(/\.html$/, '') || 'index';
    const channel = new BroadcastChannel(`present ${location.pathname}`);
    const PAGE = 0.85; // how much of the screen a step scrolls, so that a line is seen before and after
    const MARGIN = 16; // pixels above what a step has scrolled to

    // The notes of this page come as a script, `window.present_notes({…})`.
    window.present_notes = notes => {
        delete window.present_notes;
        if (query.get('present') === 'notes') {
            be_notes(notes);
        } else {
            be_slides(notes);
        }
    };
    const style = element('link', '');
    style.rel = 'stylesheet';
    style.href = `${path_to_root}present/present.css`;
    // What is measured below has to have its size.
    style.addEventListener('load', () => {
        const script = element('script', '');
        script.src = `${path_to_root}present/${name}.js`;
        document.head.append(script);
    });
    document.head.append(style);

    // Keys of a keyboard, and those that a clicker sends.
    const KEYS = {
        ArrowRight: 'next', PageDown: 'next', ' ': 'next', ArrowLeft: 'back', PageUp: 'back', Home: 'first',
        End: 'last', b: 'black', '.': 'black', n: 'notes', Escape: 'leave',
    };

    // Calls `act` with what a key means, and with a number that was typed before Enter.
    function listen_to_keys(act) {
        let typed = '';
        window.addEventListener('keydown', event => {
            // Steps of a figure are keys as well, which this script sends.
            if (!event.isTrusted || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
                return;
            }
            const presses = event.key === 'Enter' || event.key === ' ';
            if (presses && typed === '' && event.target.closest('button, a[href], summary')) {
                return;
            }
            // mdBook turns the page or searches at some keys.
            event.stopImmediatePropagation();
            if (/^[0-9]$/.test(event.key)) {
                typed += event.key;
                return;
            }
            const number = typed;
            typed = '';
            if (event.key === 'Enter' && number !== '') {
                event.preventDefault();
                act('go', Number(number) - 1);
            } else if (KEYS[event.key] !== undefined) {
                event.preventDefault();
                act(KEYS[event.key]);
            }
        }, true);
    }

    function be_slides(notes) {
        const main = document.querySelector('main');
        const slides = sections(main);
        const key = `present ${location.pathname}`;
        let current = 0;
        // When the first step was made; a page that is loaded again goes on.
        let begun = Number(sessionStorage.getItem(key)) || null;

        const place = element('p', 'present-place');
        place.setAttribute('aria-live', 'polite');
        const time = element('p', 'present-time');
        const bar = element('div', 'present-bar');
        bar.setAttribute('role', 'region');
        bar.setAttribute('aria-label', 'Presentation');
        bar.append(
            button('Back', () => act('back')), button('Next', () => act('next')), place, time,
            button('Notes', () => act('notes')), button('Leave', () => act('leave')));
        const black = element('div', 'present-black');
        black.hidden = true;
        document.documentElement.classList.add('presenting');
        document.body.append(bar, black);
        main.tabIndex = -1;
        for (const figure of main.querySelectorAll('.stepping')) {
            step(figure, 'Home');
        }

        function show(number, at_end) {
            current = Math.min(Math.max(number, 0), slides.length - 1);
            slides.forEach((slide, i) => {
                for (const part of slide.parts) {
                    part.hidden = i !== current;
                }
            });
            main.scrollTop = at_end ? main.scrollHeight : 0;
            main.focus({ preventScroll: true });
            mark_scrollable();
            place.textContent = `${current + 1} of ${slides.length}: ${slides[current].title}`;
            const { id } = slides[current];
            history.replaceState(null, '', id ? `#${id}` : location.pathname + location.search);
        }

        // What scrolls can be reached with the keyboard.
        function mark_scrollable() {
            const scrolls = main.scrollHeight > main.clientHeight + 1;
            main.tabIndex = scrolls ? 0 : -1;
        }

        // A step forward: what is folded or moves and is in view, then more of the section, then the next one.
        function next() {
            const view = main.getBoundingClientRect();
            const waits = slides[current].parts.flatMap(steppable).find(is_pending);
            if (waits !== undefined) {
                const box = (waits.querySelector(':scope > summary') ?? waits).getBoundingClientRect();
                const to_top = box.top - view.top - MARGIN;
                if (box.bottom <= view.bottom + 1 || to_top <= 1) {
                    advance(waits);
                    return;
                }
                if (scroll_by(Math.min(to_top, PAGE * main.clientHeight))) {
                    return;
                }
                advance(waits);
                return;
            }
            if (!scroll_by(PAGE * main.clientHeight) && current < slides.length - 1) {
                show(current + 1, false);
            }
        }

        function back() {
            const view = main.getBoundingClientRect();
            const figures = slides[current].parts.flatMap(figures_of).filter(figure => {
                const box = figure.getBoundingClientRect();
                return box.top < view.bottom && box.bottom > view.top && frame_of(figure) > 0;
            });
            if (figures.length > 0) {
                step(figures.at(-1), 'ArrowLeft');
            } else if (!scroll_by(-PAGE * main.clientHeight) && current > 0) {
                show(current - 1, true);
            }
        }

        // Whether there was anything to scroll.
        function scroll_by(pixels) {
            const before = main.scrollTop;
            main.scrollTop += pixels;
            return Math.abs(main.scrollTop - before) >= 1;
        }

        function advance(waits) {
            if (!waits.matches('details')) {
                step(waits, 'ArrowRight');
                return;
            }
            waits.open = true;
            const view = main.getBoundingClientRect();
            const box = waits.getBoundingClientRect();
            const hidden = box.bottom - view.bottom;
            if (hidden > 0) {
                scroll_by(Math.min(hidden, box.top - view.top - MARGIN));
            }
        }

        function act(what, number) {
            const was_black = !black.hidden;
            black.hidden = true;
            switch (what) {
            case 'next': next(); break;
            case 'back': back(); break;
            case 'first': show(0, false); break;
            case 'last': show(slides.length - 1, false); break;
            case 'go': show(number, false); break;
            case 'black': black.hidden = was_black; break;
            case 'notes':
                window.open(`${location.pathname}?present=notes`, 'present-notes', 'width=900,height=700');
                break;
            case 'leave':
                sessionStorage.removeItem(key);
                location.href = location.pathname + location.hash;
                return;
            }
            if (begun === null && what !== 'notes') {
                begun = Date.now();
                sessionStorage.setItem(key, begun);
            }
            tell();
        }

        function minutes() {
            return Number(query.get('minutes')) || notes.minutes || null;
        }

        function tell() {
            time.textContent = time_used(begun, minutes());
            const { title, ids } = slides[current];
            const following = slides[current + 1]?.title ?? null;
            channel.postMessage({
                title, ids, following, begun, minutes: minutes(), black: !black.hidden,
                place: `${current + 1} of ${slides.length}`,
            });
        }

        channel.addEventListener('message', ({ data }) => {
            if (data.act !== undefined) {
                act(data.act, data.number);
            } else if (data.asks) {
                tell();
            }
        });
        window.addEventListener('resize', mark_scrollable);
        setInterval(() => { time.textContent = time_used(begun, minutes()); }, 1000);
        listen_to_keys(act);
        const linked = slides.findIndex(slide => slide.ids.includes(decodeURIComponent(location.hash.slice(1))));
        show(Math.max(linked, 0), false);
        tell();
        document.documentElement.classList.add('presented');
    }

    // The sections of a page: a heading, and what stands below it until the next. A heading without anything
    // goes with the next one.
    function sections(main) {
        const slides = [];
        let above = '';
        for (const part of [...main.children]) {
            const last = slides.at(-1);
            const is_alone = last?.parts.every(other => other.matches('h1, h2, h3'));
            if (last === undefined || part.matches('h1, h2, h3') && !is_alone) {
                slides.push({ title: '', id: '', ids: [], parts: [] });
            }
            const slide = slides.at(-1);
            slide.parts.push(part);
            if (part.matches('h1, h2, h3')) {
                above = part.matches('h3') ? above : part.textContent;
                slide.title = part.matches('h3') ? `${above} › ${part.textContent}` : part.textContent;
                slide.id ||= part.id;
                slide.ids.push(part.id);
            }
        }
        return slides;
    }

    function figures_of(part) {
        return [...(part.matches('.stepping') ? [part] : []), ...part.querySelectorAll('.stepping')];
    }

    // What a step opens or moves, in the order of the page: answers and figures, but neither hints nor what
    // solves the exercise.
    function steppable(part) {
        const open = 'details:not(.hint):not(.mistake)';
        const both = `.stepping, ${open}`;
        const all = [...(part.matches(both) ? [part] : []), ...part.querySelectorAll(both)];
        return all.filter(found => found.closest('details:has(.mistake)') === null && !solves(part));
    }

    function solves(part) {
        let before = part;
        while (before !== null && !before.matches('h1, h2, h3')) {
            before = before.previousElementSibling;
        }
        return before?.id === 'the-solution-explained';
    }

    function is_pending(waits) {
        if (waits.matches('details')) {
            return !waits.open;
        }
        return waits.checkVisibility() && frame_of(waits) < waits.querySelectorAll('.frame').length - 1;
    }

    function frame_of(figure) {
        return [...figure.querySelectorAll('.frame')].findIndex(frame => frame.matches('.current'));
    }

    function step(figure, key) {
        figure.dispatchEvent(new KeyboardEvent('keydown', { key }));
    }

    function be_notes(notes) {
        const title = element('h1', '');
        const following = element('p', 'present-following');
        const time = element('p', 'present-time');
        const body = element('div', 'present-body');
        const main = element('main', 'present-notes');
        let state = null;
        title.setAttribute('aria-live', 'polite');
        title.textContent = 'Notes';
        body.append(paragraph('The window with the page is not open, or shows another page.'));
        main.append(title, following, time, body);
        main.tabIndex = 0;
        document.documentElement.classList.add('presenting-notes');
        document.title = `Notes: ${document.title}`;
        document.body.replaceChildren(main);

        channel.addEventListener('message', ({ data }) => {
            if (data.title === undefined) {
                return;
            }
            state = data;
            title.textContent = `${data.place}: ${data.title}${data.black ? ' (black)' : ''}`;
            following.textContent = data.following === null ? 'This is the last section.' : `Next: ${data.following}`;
            time.textContent = time_used(data.begun, data.minutes);
            write(body, notes, data.ids);
            main.scrollTop = 0;
        });
        setInterval(() => {
            if (state !== null) {
                time.textContent = time_used(state.begun, state.minutes);
            }
        }, 1000);
        listen_to_keys((act, number) => {
            if (act === 'leave') {
                window.close();
            } else if (act !== 'notes') {
                channel.postMessage({ act, number });
            }
        });
        channel.postMessage({ asks: true });
        document.documentElement.classList.add('presented');
    }

    // The notes of the sections with these ids. Their HTML is made by the builder.
    function write(body, notes, ids) {
        const at = list => list.filter(note => ids.includes(note.at));
        const parts = [];
        for (const { text } of at(notes.show)) {
            parts.push(paragraph('', text));
        }
        for (const { question, answer } of at(notes.ask)) {
            parts.push(heading('Ask'), paragraph('', question), paragraph('present-answer', answer));
        }
        if (ids.includes('exercise') && notes.stuck.length > 0) {
            parts.push(heading('Where rooms get stuck'));
            parts.push(...notes.stuck.map(text => paragraph('', text)));
        }
        if (parts.length === 0) {
            parts.push(paragraph('present-none', 'No note for this section.'));
        }
        body.replaceChildren(...parts);
    }

    function time_used(begun, minutes) {
        const used = begun === null ? 0 : Math.floor((Date.now() - begun) / 1000);
        const left = minutes === null ? null : minutes * 60 - used;
        const rest = left === null ? '' : left >= 0 ? `, ${clock(left)} left` : `, ${clock(-left)} over`;
        return `${clock(used)} used${minutes === null ? '' : ` of ${minutes} min`}${rest}`;
    }

    function clock(seconds) {
        return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    }

    function heading(text) {
        const made = element('h2', '');
        made.textContent = text;
        return made;
    }

    function paragraph(kind, html) {
        const made = element('p', html === undefined ? '' : kind);
        if (html === undefined) {
            made.textContent = kind;
        } else {
            made.innerHTML = html;
        }
        return made;
    }

    function element(name, kind) {
        const made = document.createElement(name);
        made.className = kind;
        return made;
    }

    function button(text, act) {
        const made = element('button', 'present-button');
        made.type = 'button';
        made.textContent = text;
        made.addEventListener('click', act);
        return made;
    }
})();
