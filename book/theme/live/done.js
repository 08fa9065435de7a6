// Which challenges are done, in this browser. It is sent nowhere.

const KEY = 'namespaces-by-hand challenges';

function all() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // storage is turned off, or something else has written there
  }
}

export function is_done(name) {
  return all()[name] === true;
}

export function keep_done(name) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...all(), [name]: true }));
  } catch {
    // Without storage it is done as long as the page is open.
  }
}
