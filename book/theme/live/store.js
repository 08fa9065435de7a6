// The machine's files: loaded once, compared with the manifest's digests, and kept for the next page.

const KEPT = 'namespaces-by-hand machine';

/**
 * The parts of the machine. `report` is called with the bytes that are there and the bytes of all.
 * An error's message is a sentence for the reader.
 */
export async function load(folder, report) {
  const kept = await caches.open(KEPT).catch(() => null); // a private window may have none
  const manifest = await load_manifest(folder, kept);
  const all = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const there = new Map();
  const stop = new AbortController();
  const progress = (name, bytes) => {
    if (stop.signal.aborted) {
      return;
    }
    there.set(name, bytes);
    report([...there.values()].reduce((sum, one) => sum + one, 0), all);
  };
  const read = async file => [file.role, await load_file(folder, file, kept, progress, stop.signal)];
  let files;
  try {
    files = new Map(await Promise.all(manifest.files.map(read)));
  } catch (error) {
    stop.abort(); // without one of them the others are of no use
    throw error;
  }
  forget_others(folder, manifest, kept);
  return {
    emulator: files.get('emulator'),
    wasm: files.get('wasm'),
    state: files.get('state'),
    machine: manifest.machine,
    saved: manifest.labs?.saved ?? null,
    differs: manifest.differs,
    challenges: JSON.parse(new TextDecoder().decode(files.get('challenges'))),
  };
}

/** From the network; from what is kept if there is no network. */
async function load_manifest(folder, kept) {
  const url = new URL('manifest.json', folder);
  try {
    const answer = await fetch(url, { cache: 'no-cache' });
    if (answer.ok) {
      await kept?.put(url, answer.clone()).catch(() => {});
      return await answer.json();
    }
  } catch {
    // Without a network the kept one will do.
  }
  const answer = await kept?.match(url);
  if (!answer) {
    throw new Error('The machine could not be loaded: its list of files did not come.');
  }
  return answer.json();
}

/** The name in the cache has the digest in it, so an older version is another file. */
function url_of(folder, file) {
  return new URL(`${file.name}?${file.sha256.slice(0, 16)}`, folder);
}

async function load_file(folder, file, kept, progress, signal) {
  const url = url_of(folder, file);
  const old = await kept?.match(url);
  if (old) {
    const bytes = new Uint8Array(await old.arrayBuffer());
    if (await digest(bytes) === file.sha256) {
      progress(file.name, file.bytes);
      return bytes;
    }
    await kept.delete(url);
  }
  const bytes = await download(url, file, progress, signal);
  if (await digest(bytes) !== file.sha256) {
    throw new Error(`${file.name} did not arrive as it was sent: its digest is another one.`);
  }
  // A full disk is no reason to do without the machine.
  await kept?.put(url, new Response(bytes)).catch(() => {});
  return bytes;
}

async function download(url, file, progress, signal) {
  const bytes = new Uint8Array(file.bytes);
  let length = 0;
  try {
    const answer = await fetch(url, { signal });
    if (!answer.ok) {
      throw new Error(`${answer.status}`);
    }
    for (const reader = answer.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) {
        break;
      }
      bytes.set(value, length); // throws where there is more than there should be
      length += value.length;
      progress(file.name, length);
    }
  } catch (error) {
    throw new Error(`The download of ${file.name} broke off (${error.message}).`);
  }
  if (length !== file.bytes) {
    throw new Error(`The download of ${file.name} broke off after ${length} of ${file.bytes} bytes.`);
  }
  return bytes;
}

async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('');
}

/** Takes the files of other versions out of the cache. */
async function forget_others(folder, manifest, kept) {
  const own = [new URL('manifest.json', folder), ...manifest.files.map(file => url_of(folder, file))].map(String);
  for (const request of await kept?.keys() ?? []) {
    if (!own.includes(request.url)) {
      await kept.delete(request);
    }
  }
}
