'use strict';

/* global path_to_root, playground_text:writable */

// The sidebar's button. mdBook's template has a label here, which the keyboard cannot press. book.js
// listens to the button too and makes the sidebar displayable, so this comes after it.
(function sidebar() {
    const checkbox = document.getElementById('mdbook-sidebar-toggle-anchor');
    document.getElementById('mdbook-sidebar-toggle').addEventListener('click', () => {
        checkbox.checked = !checkbox.checked;
        checkbox.dispatchEvent(new Event('change'));
    });
})();

// Console sessions: tell the command lines from the output. A `> ` after a command continues it.
(function sessions() {
    for (const code of document.querySelectorAll('pre > code.language-console')) {
        let command = false;
        const lines = code.textContent.split(/(?<=\n)/).map(text => {
            command = /^[#$] /.test(text) || command && text.startsWith('> ');
            const line = document.createElement('span');
            line.className = command ? 'command' : 'output';
            if (command) {
                const prompt = document.createElement('span');
                prompt.className = 'prompt';
                prompt.textContent = text.slice(0, 2);
                line.append(prompt);
                text = text.slice(2);
            }
            line.append(text);
            return line;
        });
        code.replaceChildren(...lines);
    }

    // What the copy button takes: of a session the commands, without their prompts.
    const whole_text = playground_text;
    playground_text = (pre, hidden) => {
        const commands = [...pre.querySelectorAll('.command')];
        return commands.length === 0
            ? whole_text(pre, hidden)
            : commands.map(line => line.textContent.slice(2)).join('').trimEnd();
    };
})();

// What scrolls sideways takes the focus, or the keyboard could not scroll it.
(function scrollable() {
    function mark() {
        for (const box of document.querySelectorAll('pre > code, .table-wrapper')) {
            if (box.scrollWidth <= box.clientWidth) {
                box.removeAttribute('tabindex');
                box.removeAttribute('role');
                box.removeAttribute('aria-label');
                continue;
            }
            const caption = box.parentElement.previousElementSibling;
            box.tabIndex = 0;
            box.setAttribute('role', 'group');
            box.setAttribute('aria-label', box.matches('.table-wrapper') ? 'table'
                : box.matches('.language-console') ? 'console session'
                    : caption?.matches('.listing') ? 'listing ' + caption.textContent : 'listing');
        }
    }
    mark();
    window.addEventListener('resize', mark);
    document.addEventListener('toggle', mark, true);
})();

// Arrow keys turn mdBook's page, but not while they scroll a listing. Figures see to it themselves.
document.querySelector('main').addEventListener('keydown', event => {
    const turns = event.key === 'ArrowLeft' || event.key === 'ArrowRight';
    if (turns && event.target.closest('[role=group], summary')) {
        event.stopPropagation();
    }
});

// Print shows everything, also what is folded away.
window.addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('details:not([open])')) {
        details.open = true;
        window.addEventListener('afterprint', () => { details.open = false; }, { once: true });
    }
});

// The speaker view is a script of its own, which only a page with `?present` loads.
if (new URLSearchParams(location.search).has('present')) {
    const script = document.createElement('script');
    script.src = path_to_root + 'present/present.js';
    document.head.append(script);
}
