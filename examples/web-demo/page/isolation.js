import { find, make } from './elements.js';
import { canShare } from './stage.js';

/** Says what is missing where memory cannot be shared, and what goes on all the same. */
export async function explainIsolation() {
  if (canShare) return;
  const missing = await missingHeaders();
  const list = make('ul', '', ...missing.map((line) => make('li', '', make('code', '', line))));
  find('isolation-words').append(
    make(
      'p',
      '',
      window.isSecureContext
        ? 'Missing in what the server sent with this page:'
        : 'The page was not loaded over https or from localhost. It also needs:',
    ),
    list,
    make(
      'p',
      '',
      "So there is no shared memory, and no worker can be used: all lanes run inline, in the page’s own thread (mode: 'inline'). Picture, pointer and telemetry work; sound and whatever needs a worker do not.",
    ),
  );
  find('isolation').hidden = false;
}

/** What of the two headers the server does not send. */
async function missingHeaders() {
  const wanted = [
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cross-Origin-Embedder-Policy', 'require-corp'],
  ];
  const lines = wanted.map(([name, value]) => `${name}: ${value}`);
  try {
    const { headers } = await fetch(location.href, { method: 'HEAD' });
    const missing = lines.filter((_, n) => headers.get(wanted[n]?.[0] ?? '') !== wanted[n]?.[1]);
    return missing.length === 0 ? lines : missing;
  } catch {
    return lines;
  }
}
