import { knitting, rivals } from './contestants.js';
import { installRivals } from './install-rivals.js';
import { ratio, row, spread } from './stats.js';

/** What takes part beside our own entrants, and notes about what does not. */
export function rivalsAtHand(inFlight) {
  if (!installRivals((line) => console.log(`  ${line}`))) {
    return { list: [], notes: ['SKIPPED: the rivals are not installed and could not be'] };
  }
  const { rival, why } = knitting();
  const list = rival === null ? rivals(inFlight) : [...rivals(inFlight), rival];
  return { list, notes: why === null ? [] : [why] };
}

/** Ours once more on the Node that knitting needs, if that is another: it is compared with that one. */
export function alsoOnNode(ours, list) {
  const other = list.find(({ node }) => node !== process.execPath);
  if (other === undefined) return [];
  return ours.map((entrant) => ({ ...entrant, node: other.node, label: `${entrant.label}, Node 22` }));
}

const median = (values) => spread(values).median;

/**
 * Rows of a contest: each entrant's figure, and ours against the best of the others on the same Node, round by round.
 * `of` gives the figure of a round, `best` is 'low' or 'high'; `among`, which of the others count.
 */
export function rowsOf(found, { what = '', unit, of, best, among = () => true, reference = () => null }) {
  const values = ({ results }) => results.map(of);
  const there = found.filter(({ cannot, results }) => cannot === null && results.length > 0);
  const rows = there.map((one) => row(`${one.entrant.label}${what}`, unit, values(one)));
  const sign = best === 'low' ? 1 : -1;
  for (const ours of there.filter(({ entrant }) => entrant.ours)) {
    const others = there.filter(
      ({ entrant }) => !entrant.ours && entrant.node === ours.entrant.node && among(entrant, ours.entrant),
    );
    others.sort((a, b) => sign * (median(values(a)) - median(values(b))));
    for (const other of others.slice(0, 1)) rows.push(against(ours, other, values, best, what));
    const limit = reference(ours.entrant);
    if (limit !== null) rows.push(limit);
  }
  return rows;
}

function against(ours, other, values, best, what) {
  const [a, b] = best === 'low' ? [values(other), values(ours)] : [values(ours), values(other)];
  return ratio(`  ${ours.entrant.label}${what}: better than ${other.entrant.label}`, a, b);
}
