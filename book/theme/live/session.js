// A session of the page as data. The builder has written into its class what it takes.

/** What a session of the page wants, and its commands with what the page prints of each. */
export function session(code) {
  const classes = [...code.classList];
  const value = prefix => classes.find(name => name.startsWith(prefix))?.slice(prefix.length) ?? null;
  const challenge = value('challenge-');
  const state = classes.includes('user') ? 'plain-user' : 'root-lab';
  const shell = value('in-');
  const together = shell === null ? [code] : [...document.querySelectorAll(`pre > code.${CSS.escape(`in-${shell}`)}`)];
  const heading = challenge === null ? null : code.parentElement.previousElementSibling;
  return {
    challenge,
    chapter: challenge?.split('/')[0] ?? null,
    heading,
    hints: challenge === null ? [] : hints(code.parentElement),
    state,
    ids: classes.includes('ids'),
    cgroups: classes.includes('cgroups'),
    shell,
    page: `${location.pathname.split('/').pop().replace(/\.html$/, '') || 'index'}.md`,
    begins: together.map(part => part.textContent.split('\n')[0]),
    title: title(challenge, state, classes),
    // Those of a shell that sessions share begin with the first of them.
    commands: challenge === null ? together.flatMap(part => commands(part.textContent)) : [],
  };
}

function title(challenge, state, classes) {
  if (challenge !== null) {
    return 'the lab of the challenge';
  }
  const role = state === 'root-lab' ? 'root in a lab' : 'an ordinary user in a lab';
  const more = [['ids', 'with many ids'], ['cgroups', 'with cgroups of its own']];
  return [role, ...more.filter(([name]) => classes.includes(name)).map(([, text]) => text)].join(' ');
}

/** The commands of a session: a line with a prompt, and the lines that continue it. */
export function commands(text) {
  const all = [];
  let open = false;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (/^[#$] /.test(line)) {
      all.push({ text: line.slice(2), printed: [] });
      open = true;
    } else if (open && line.startsWith('> ')) {
      all.at(-1).text += `\n${line.slice(2)}`;
    } else {
      open = false;
      all.at(-1)?.printed.push(line);
    }
  }
  return all;
}

function hints(pre) {
  const all = [];
  for (let next = pre.nextElementSibling; next?.matches('details.hint, .live-run'); next = next.nextElementSibling) {
    if (next.matches('details')) {
      all.push(next.cloneNode(true));
    }
  }
  return all;
}

/** Texts with small numbers in the place of the inodes of namespaces, in the order in which they appear. */
export class Numbers {
  seen = [];

  small(text) {
    return text.replace(/:\[(\d{10,})\]/g, (_, number) => {
      if (!this.seen.includes(number)) {
        this.seen.push(number);
      }
      return `:[${4026532001 + this.seen.indexOf(number)}]`;
    });
  }
}
