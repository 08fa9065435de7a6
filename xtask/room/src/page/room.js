// Shows the state of the room, and asks for it again every two seconds. All that participants have chosen is
// put into the page as text.
'use strict';

const SHAPES = {
  stuck: 'M8 1 15.5 15H.5Z',
  done: 'M8 .5a7.5 7.5 0 1 0 .01 0Z',
  work: 'M2 2h12v12H2Z',
};
const WORDS = { stuck: 'stuck', done: 'done', work: 'at work' };
const PERIOD = 2000;
// So many mistakes are shown; the others are made by few. So many names are shown of those with another edition.
const MOST = 6;

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

// A shape, which says the same as the word beside it.
const shape = kind => {
  const make = name => document.createElementNS('http://www.w3.org/2000/svg', name);
  const [picture, path] = [make('svg'), make('path')];
  picture.setAttribute('viewBox', '0 0 16 16');
  picture.setAttribute('aria-hidden', 'true');
  picture.setAttribute('class', kind);
  path.setAttribute('d', SHAPES[kind]);
  picture.append(path);
  return picture;
};

const kindOf = one => one.signal || 'work';

const signal = kind => element('span', { className: `state ${kind}` }, shape(kind), WORDS[kind]);

const age = seconds => {
  if (seconds < 60) return 'just now';
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `for ${minutes} min` : `for ${Math.floor(minutes / 60)} h`;
};

// `ch2` for `ch02-unshare`, or `ch2 unshare`.
const chapter = (name, more = false) => {
  const [, number, slug] = /^ch(\d+)-(.+)$/.exec(name) ?? [];
  return number ? `ch${Number(number)}${more ? ` ${slug}` : ''}` : name;
};

const progress = one => {
  switch (one.outcome) {
    case '': return 'no check yet';
    case 'unbuilt': return `${chapter(one.chapter)}: does not compile`;
    case 'cannot': return `${chapter(one.chapter)}: cannot be checked there`;
    case 'solved': return `${chapter(one.chapter)}: solved`;
    default: return `${chapter(one.chapter)}: ${one.passed} of ${one.of} steps`;
  }
};

const hand = now => one => element('li', {},
  shape('stuck'), element('span', { className: 'name', textContent: one.name }), ' ',
  element('span', { className: 'quiet', textContent: `${age(now - one.since)}, ${progress(one)}` }),
  ...[one.text, one.mistake].filter(Boolean).map(text =>
    element('div', { className: 'said', textContent: text })));

const mistake = ({ count, mistake, chapter: name }) => element('li', {},
  element('b', { textContent: count }),
  element('span', {}, `${mistake} `,
    element('span', { className: 'quiet', textContent: `(${chapter(name, true)})` })));

const participant = one => element('li', { className: kindOf(one) },
  element('span', { className: 'name', textContent: one.name }), ' ', signal(kindOf(one)),
  element('div', { className: 'quiet', textContent: progress(one) }));

// Those who work with another edition of the course than this machine, if any.
const others = (participants, edition) => {
  const other = participants.filter(one => edition && one.edition && one.edition !== edition);
  if (!other.length) return [];
  const names = other.slice(0, MOST).map(one => `${one.name} (${one.edition})`);
  if (other.length > MOST) names.push(`and ${other.length - MOST} more`);
  return [element('span', {
    textContent: `Another edition of the course than this machine's ${edition}: ${names.join(', ')}`,
  })];
};

// Draws again only what has changed, so that a selection and the place in a list stay.
const drawn = {};
const draw = (id, made) => {
  const text = made.map(one => one.outerHTML).join('');
  if (drawn[id] === text) return;
  drawn[id] = text;
  document.getElementById(id).replaceChildren(...made);
};

const show = state => {
  const { now, participants, stuck, mistakes, address } = state;
  draw('join', [element('span', {}, 'Join: ',
    element('code', { textContent: `cargo xtask join ${address} NAME` }))]);
  const count = kind => participants.filter(one => kindOf(one) === kind).length;
  draw('counts', Object.keys(SHAPES).map(kind =>
    element('span', { className: kind }, shape(kind), `${count(kind)} ${WORDS[kind]}`)));
  draw('editions', others(participants, state.edition));
  draw('stuck', stuck.map(hand(now)));
  draw('mistakes', mistakes.slice(0, MOST).map(mistake));
  draw('participants', participants.map(participant));
  document.title = stuck.length ? `(${stuck.length} stuck) The room` : 'The room';
};

let shown = '';
const trouble = text => {
  const place = document.getElementById('trouble');
  if (place.textContent !== text) place.textContent = text;
};

let timer = 0;
let asking = false;
const ask = async () => {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  try {
    const answer = await fetch('state', { cache: 'no-store', signal: AbortSignal.timeout(8000) });
    const state = await answer.json();
    if (!answer.ok) throw new Error(state.error);
    show(state);
    shown = new Date().toLocaleTimeString();
    trouble(state.trouble ? `The room cannot be kept: ${state.trouble}` : '');
  } catch (error) {
    const when = shown ? ` This is how it was at ${shown}.` : '';
    const gone = error instanceof TypeError || error.name === 'TimeoutError';
    trouble((gone ? 'The room does not answer; it is asked again.' : `The room: ${error.message}.`) + when);
  }
  asking = false;
  timer = setTimeout(ask, PERIOD);
};

// A timer of a machine that sleeps, or of a page that is hidden, comes late.
document.addEventListener('visibilitychange', () => document.hidden || ask());
addEventListener('online', ask);
addEventListener('pageshow', ask);
ask();
