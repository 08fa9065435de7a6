'use strict';

// Colours Rust, C and TOML. Stands in for highlight.js, which is as heavy as all the rest of a page:
// book.js calls `hljs.configure` once and `hljs.highlightBlock` for every code element.
window.hljs = (() => {
    const words = list => new RegExp('\\b(?:' + list.replaceAll(' ', '|') + ')\\b');
    const comment = /\/\/.*|\/\*[^]*?\*\//;
    const string = /"(?:\\[^]|[^"\\])*"/;
    const number = /\b\d[\w]*(?:\.\d\w*)?/;

    // In each language the kinds are tried in this order at every place.
    const languages = {
        rust: {
            comment,
            string: /\b[bc]?r(?<hashes>#*)"[^]*?"\k<hashes>|\b[bc]"(?:\\[^]|[^"\\])*"|"(?:\\[^]|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'/,
            symbol: /'[a-z_]\w*/,
            meta: /#!?\[[^\]]*\]/,
            keyword: words('as async await break const continue crate dyn else enum extern fn for if '
                + 'impl in let loop match mod move mut pub ref return self Self static struct super '
                + 'trait type unsafe use where while'),
            literal: words('true false None Some Ok Err'),
            title: /(?<=\bfn )\w+/,
            built_in: /\b\w+!(?=[([{ ])/,
            type: /\b(?:[A-Z]\w*[a-z]\w*|[iu](?:8|16|32|64|128|size)|f32|f64|bool|char|str)\b/,
            number,
        },
        c: {
            comment,
            string,
            meta: /^#.*/m,
            keyword: words('break case const continue default do else enum extern for goto if int long '
                + 'char void unsigned signed short sizeof static struct switch typedef union while return'),
            number,
        },
        toml: {
            comment: /#.*/,
            section: /^\[.*\]/m,
            attr: /^[\w.-]+(?=\s*=)/m,
            string: /"""[^]*?"""|'[^']*'|"(?:\\.|[^"\\])*"/,
            literal: words('true false'),
            number,
        },
    };
    for (const [name, kinds] of Object.entries(languages)) {
        const any = Object.entries(kinds).map(([kind, pattern]) => `(?<${kind}>${pattern.source})`);
        languages[name] = new RegExp(any.join('|'), 'gm');
    }

    function highlightBlock(code) {
        const pattern = languages[/language-(\w+)/.exec(code.className)?.[1]];
        if (!pattern || code.childElementCount > 0) {
            return;
        }
        const text = code.textContent;
        const parts = [];
        let end = 0;
        for (const match of text.matchAll(pattern)) {
            const [kind] = Object.entries(match.groups).find(([, found]) => found !== undefined);
            const span = document.createElement('span');
            span.className = 'hljs-' + kind;
            span.textContent = match[0];
            parts.push(text.slice(end, match.index), span);
            end = match.index + match[0].length;
        }
        code.replaceChildren(...parts, text.slice(end));
    }

    return { configure() {}, highlightBlock };
})();
